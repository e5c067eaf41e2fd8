// Closes what the bar has opened, with Escape: its menus, else the drawer.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector(".demo-menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else document.getElementById("demo-close")?.click();
});
