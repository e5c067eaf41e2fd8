// Follows what changes in a commune. A page says what it shows by data-n (a light's place); it is fetched again, at most
// every two seconds, when one of these has changed or the counts have. A page that cannot follow any more says since when.
"use strict";

window.bocageLive = (address, version, changed) => {
  const clock = document.querySelector(".clock");
  let source = null, known = version;
  const open = () => {
    source = new EventSource(`${address}?version=${known}`);
    source.onopen = () => clock?.removeAttribute("data-lost");
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
      if (clock && !clock.dataset.lost) clock.dataset.lost = "";
    };
  };
  open();
  addEventListener("pagehide", () => source?.close());
};

(() => {
  const part = document.querySelector("[data-again]");
  if (!part) return;
  let counts = null, waits = 0;
  const again = () => {
    if (waits) return;
    waits = setTimeout(() => {
      waits = 0;
      htmx.ajax("GET", part.dataset.again || location.href, { target: `#${part.id}`, swap: part.dataset.swap || "innerHTML", select: part.dataset.select });
    }, 500);
  };
  window.bocageLive(part.dataset.live, part.dataset.version || "", (event) => {
    const now = JSON.stringify(event.counts);
    const isCounted = counts !== null && now !== counts;
    counts = now;
    const shown = new Set([...document.querySelectorAll("[data-n]")].map((one) => Number(one.dataset.n)));
    if (event.again || isCounted || event.changes.some(([n]) => shown.has(n))) again();
  });
})();
