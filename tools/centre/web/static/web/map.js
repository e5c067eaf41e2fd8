// Joins map, list and panel: what is in view is listed, what is chosen is on all three, and the address says it.
"use strict";

(() => {
  const root = document.getElementById("map"), side = document.getElementById("in-view"), panel = document.getElementById("panel");
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(root, {
    attributionControl: false, zoomControl: false, zoomSnap: 0.5, minZoom: 9, maxZoom: 19, zoomAnimation: !isStill,
    inertia: !isStill, fadeAnimation: false, markerZoomAnimation: false, wheelPxPerZoomLevel: 90,
  });
  L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
  const layer = new window.LightsLayer();
  const LETTERS = { lit: "l", off: "o", unpowered: "u", fault: "f", pending: "p", unknown: "n" };
  const states = new Set(new URLSearchParams(location.search).getAll("state"));
  let version = "", places = "";

  // --- the address: commune, states, choice; behind # the view
  const write = (id) => {
    const query = new URLSearchParams();
    for (const state of states) query.append("state", state);
    if (id) query.set("light", id);
    const centre = map.getCenter(), view = `#${map.getZoom()}/${centre.lat.toFixed(5)}/${centre.lng.toFixed(5)}`;
    history.replaceState(null, "", `${location.pathname}${query.size ? "?" + query : ""}${view}`);
  };
  const chosenId = () => new URLSearchParams(location.search).get("light");
  const whole = () => {
    const bounds = root.dataset.bounds?.split(",").map(Number);
    if (bounds) map.fitBounds([[bounds[1], bounds[0]], [bounds[3], bounds[2]]], { padding: [48, 48], maxZoom: 18, animate: false });
    else map.setView([47.5, -0.6], 9);
  };
  const view = location.hash.slice(1).split("/").map(Number);
  if (view.length === 3 && view.every(Number.isFinite)) map.setView([view[1], view[2]], view[0], { animate: false });
  else whole();
  if (root.dataset.tiles) {
    const [from, to] = root.dataset.zooms.split(",").map(Number), [west, south, east, north] = root.dataset.within.split(",").map(Number);
    L.tileLayer(root.dataset.tiles, { minNativeZoom: from, maxNativeZoom: to, maxZoom: 19, bounds: [[south, west], [north, east]] }).addTo(map);
  }
  if (root.dataset.ground) window.bocageGround(map, root.dataset.ground);
  layer.addTo(map);

  // --- what is in view
  let asked = 0;
  const list = () => {
    clearTimeout(asked);
    asked = setTimeout(() => {
      const bounds = map.getBounds(), query = new URLSearchParams({ box: bounds.toBBoxString() });
      for (const state of states) query.append("state", state);
      htmx.ajax("GET", `${side.dataset.address}?${query}`, { target: "#in-view", swap: "innerHTML" });
    }, 150);
  };
  map.on("moveend", () => { write(chosenId()); list(); });

  // --- what is chosen
  const choose = (i, id, isMoved) => {
    layer.chosen = i;
    layer.redraw();
    write(id);
    panel.hidden = false;
    htmx.ajax("GET", root.dataset.light + encodeURIComponent(id), { target: "#chosen", swap: "innerHTML" }).then(() => map.invalidateSize());
    if (isMoved && i !== null && !map.getBounds().pad(-0.1).contains(layer.place(i))) map.panTo(layer.place(i), { animate: !isStill });
  };
  const closed = () => { layer.chosen = null; panel.hidden = true; document.getElementById("chosen").replaceChildren(); layer.redraw(); map.invalidateSize(); write(null); };
  map.on("click", (event) => {
    const i = layer.at(event.containerPoint);
    if (i === null) return;
    fetch(`${root.dataset.lights}?n=${i}&places=${places}`).then((answer) => (answer.ok ? answer.json() : null)).then((found) => {
      if (found) choose(i, found.id, false);
    });
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !panel.hidden) closed(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-light]"), chip = event.target.closest("[data-state]");
    if (link && side.contains(link) && !event.metaKey && !event.ctrlKey) {
      event.preventDefault();
      fetch(`${root.dataset.lights}?id=${encodeURIComponent(link.dataset.light)}`).then((answer) => answer.json()).then((found) => choose(found.n, found.id, true));
    } else if (chip && side.contains(chip)) {
      const state = chip.dataset.state;
      if (!states.delete(state)) states.add(state);
      layer.shown = states.size ? new Set([...states].map((one) => LETTERS[one])) : null;
      layer.redraw();
      write(chosenId());
      list();
    } else if (event.target.id === "whole") whole();
    else if (event.target.id === "close") closed();
  });

  // --- what is known, and what changes
  const load = () => fetch(root.dataset.lights).then((answer) => answer.json()).then((data) => {
    ({ version, places } = data);
    layer.shown = states.size ? new Set([...states].map((one) => LETTERS[one])) : null;
    layer.setData(data);
    root.dataset.ready = version;
    return version;
  });
  if (root.dataset.chosen) layer.chosen = Number(root.dataset.chosen);
  load().then(() => {
    if (layer.chosen !== null && !map.getBounds().contains(layer.place(layer.chosen))) map.setView(layer.place(layer.chosen), Math.max(16, map.getZoom()), { animate: false });
    write(chosenId());
    list();
    window.bocageLive(root.dataset.live, version, (event) => {
      if (event.again) { load().then(list); return; }
      version = event.version;
      let isSeen = false;
      for (const [i, code] of event.changes) {
        isSeen ||= layer.codes[i] !== code;
        layer.setCode(i, code);
      }
      root.dataset.ready = version;
      if (isSeen) { layer.redraw(); list(); }
      const shown = panel.querySelector("[data-n]");
      if (shown && event.changes.some(([i]) => i === Number(shown.dataset.n))) {
        htmx.ajax("GET", root.dataset.light + encodeURIComponent(shown.dataset.id), { target: "#chosen", swap: "innerHTML" });
      }
    });
  });
})();
