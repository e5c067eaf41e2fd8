// Closes what the bar has opened, with Escape: its menus, else the drawer; shows in a low drawer what was just broken.
"use strict";

document.addEventListener("htmx:afterSettle", (event) => {
  const drawer = document.getElementById("demo-drawer"), struck = document.getElementById("demo-struck");
  if (struck && event.detail.requestConfig?.verb === "post") {
    drawer.scrollTop += struck.getBoundingClientRect().top - drawer.getBoundingClientRect().top;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector(".demo-menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else document.getElementById("demo-close")?.click();
});
