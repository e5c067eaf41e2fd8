// Follows what changes in a commune. A page says what it shows by data-n (a light's place); it is fetched again, at most
// half second, when one of these has changed, the counts have, or a minute has passed. One that cannot follow says so.
"use strict";

const LOST_MS = 6000; // longer than a stream that ends takes to begin anew

window.bocageLive = (address, version, changed) => {
  const clock = document.querySelector(".clock"), lost = document.getElementById("lost");
  let source = null, known = version, losing = 0;
  const open = () => {
    source = new EventSource(`${address}?version=${known}`);
    source.onopen = () => { clearTimeout(losing); losing = 0; lost.hidden = true; };
    source.onmessage = (message) => {
      const event = JSON.parse(message.data);
      known = event.version;
      if (clock) clock.textContent = event.clock;
      changed(event);
    };
    // The stream ends each minute, and is opened anew with what is known by then.
    source.onerror = () => {
      source.close();
      setTimeout(open, 1000);
      losing ||= setTimeout(() => { lost.hidden = false; }, LOST_MS);
    };
  };
  open();
  addEventListener("pagehide", () => source?.close());
};

(() => {
  const part = document.querySelector("[data-again]");
  if (!part) {
    const clock = document.querySelector(".clock[data-live]"); // a page whose parts ask for themselves
    if (clock) window.bocageLive(clock.dataset.live, "", () => {});
    return;
  }
  let counts = null, minute = null, waits = 0;
  const again = () => {
    if (waits) return;
    waits = setTimeout(() => {
      waits = 0;
      htmx.ajax("GET", part.dataset.again || location.pathname + location.search, { target: `#${part.id}`, swap: part.dataset.swap || "innerHTML", select: part.dataset.select });
    }, 500);
  };
  window.bocageLive(part.dataset.live, part.dataset.version || "", (event) => {
    const now = JSON.stringify(event.counts);
    const isCounted = counts !== null && now !== counts;
    counts = now;
    const isLater = minute !== null && event.clock !== minute; // ages are told in minutes
    minute = event.clock;
    const shown = new Set([...document.querySelectorAll("[data-n]")].map((one) => Number(one.dataset.n)));
    const isOfSpaces = event.spaces && part.dataset.spaces !== undefined;
    if (event.again || isCounted || isLater || isOfSpaces || event.changes.some(([n]) => shown.has(n))) again();
  });
})();
