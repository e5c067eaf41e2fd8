// Closes what the bar has opened, with Escape or a press: its menus, else the drawer; shows in a low drawer what was just broken.
"use strict";

document.addEventListener("htmx:afterSettle", (event) => {
  const drawer = document.getElementById("demo-drawer"), struck = document.getElementById("demo-struck");
  if (!struck || event.detail.requestConfig?.verb !== "post") return;
  const top = struck.getBoundingClientRect().top, around = drawer.getBoundingClientRect();
  if (top > around.bottom - 160) drawer.scrollTop += top - around.top;
});

// On a telephone the controls of time cover the page until one of them is pressed.
document.addEventListener("click", (event) => {
  if (event.target.closest(".demo-time")) document.getElementById("demo-fold")?.removeAttribute("open");
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector(".demo-menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else document.getElementById("demo-close")?.click();
});
