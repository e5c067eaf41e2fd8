// Offers to name this browser's key in the policy, once a page shows its lines.
"use strict";

(() => {
  const block = document.getElementById("block"), offer = document.getElementById("demo-enrol");
  if (!block) return;
  const show = () => {
    offer.hidden = !block.textContent;
    if (!offer.hidden) block.closest("[data-stage]").querySelector("p").after(offer);
  };
  document.addEventListener("submit", (event) => {
    if (offer.contains(event.target)) event.target.elements.block.value = block.textContent;
  });
  new MutationObserver(show).observe(block, { childList: true, characterData: true, subtree: true });
  show();
})();
