// Closes what the bar has opened, with Escape or a press: its menus, else the drawer; shows in a low drawer what was just
// broken; moves the instant of a night that is played again, and says it while it is dragged.
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

const ANSWERED_MS = 3000; // what was chosen stands until the night has come there
let chosenUntil = 0;
const sayInstant = (bar) => {
  const clock = new Date(bar.value * 1000).toLocaleTimeString("fr", {timeZone: "Europe/Paris", hour: "2-digit", minute: "2-digit"});
  bar.form.querySelector("output").value = clock;
  bar.setAttribute("aria-valuetext", clock);
};
document.addEventListener("input", ({target}) => {
  if (target.id !== "demo-at") return;
  chosenUntil = Infinity;
  sayInstant(target);
});
const release = () => { if (chosenUntil === Infinity) chosenUntil = performance.now() + ANSWERED_MS; };
for (const end of ["change", "pointerup"]) document.addEventListener(end, release);
document.addEventListener("htmx:afterSettle", (event) => {
  const bar = document.getElementById("demo-at");
  if (event.detail.requestConfig?.verb === "post" && chosenUntil !== Infinity) chosenUntil = 0;
  if (!bar || performance.now() < chosenUntil) return;
  bar.value = document.querySelector(".demo-now b").dataset.unix;
  sayInstant(bar);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector(".demo-menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else document.getElementById("demo-close")?.click();
});
