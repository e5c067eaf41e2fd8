// Keeps what is shown fresh, counts a test down, and says when the gateway no longer answers.
// Without it the browser loads the whole page again now and then: nothing here is needed.
"use strict";
(() => {
  const live = document.getElementById("live");
  const stale = document.getElementById("stale");
  if (!live || !live.dataset.every) return;
  const everyMs = 1000 * Number(live.dataset.every);
  let shown = null;

  const ask = async () => {
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), 4000);
    try {
      return await fetch(`${location.pathname}?auto=1&part=live`, { cache: "no-store", signal: giveUp.signal });
    } finally {
      clearTimeout(timer);
    }
  };

  const show = (html) => {
    if (html === shown) return;
    shown = html;
    const focused = document.activeElement && document.activeElement.id;
    live.innerHTML = html; // from our own server, which escapes every text
    const again = focused && document.getElementById(focused);
    if (again) again.focus({ preventScroll: true });
  };

  const refresh = async () => {
    try {
      if (!document.hidden) {
        const answer = await ask();
        if (answer.status === 401) return location.assign(location.pathname);
        if (!answer.ok) throw new Error(answer.status);
        show(await answer.text());
      }
      stale.hidden = true;
    } catch {
      stale.hidden = false;
    }
    setTimeout(refresh, everyMs);
  };

  const countDown = () => {
    for (const place of document.querySelectorAll("[data-left]")) {
      const left = Math.max(0, Number(place.dataset.left) - 1);
      place.dataset.left = left;
      place.textContent = left < 60 ? `${left} s` : `${Math.floor(left / 60)} min ${left % 60} s`;
    }
  };

  setTimeout(refresh, everyMs);
  setInterval(countDown, 1000);
})();
