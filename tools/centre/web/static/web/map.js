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
  const layers = new Set(new URLSearchParams(location.search).getAll("layer")); // none: all
  let version = "", places = "";

  // --- the address: commune, states, layers, choice (`light/0117`); behind # the view
  const KINDS = ["light", "room", "green_space", "meter"];
  const asking = () => {
    const query = new URLSearchParams();
    for (const state of states) query.append("state", state);
    for (const one of layers) query.append("layer", one);
    return query;
  };
  const write = (chosen) => {
    const query = asking();
    if (chosen) query.set(...apart(chosen));
    const centre = map.getCenter(), view = `#${map.getZoom()}/${centre.lat.toFixed(5)}/${centre.lng.toFixed(5)}`;
    history.replaceState(null, "", `${location.pathname}${query.size ? "?" + query : ""}${view}`);
  };
  const apart = (chosen) => [chosen.slice(0, chosen.indexOf("/")), chosen.slice(chosen.indexOf("/") + 1)];
  const chosenId = () => {
    const query = new URLSearchParams(location.search), kind = KINDS.find((one) => query.has(one));
    return kind ? `${kind}/${query.get(kind)}` : null;
  };
  const whole = () => {
    const bounds = root.dataset.bounds?.split(",").map(Number);
    if (bounds) map.fitBounds([[bounds[1], bounds[0]], [bounds[3], bounds[2]]], { padding: [48, 48], maxZoom: 18, animate: false });
    else map.setView([47.5, -0.6], 9);
    wholeView = where();
  };
  let wholeView = "";
  const where = () => `${map.getZoom()}/${map.getCenter()}`;
  const view = location.hash.slice(1).split("/").map(Number);
  if (view.length === 3 && view.every(Number.isFinite)) map.setView([view[1], view[2]], view[0], { animate: false });
  else whole();
  if (root.dataset.tiles) {
    const [from, to] = root.dataset.zooms.split(",").map(Number), [west, south, east, north] = root.dataset.within.split(",").map(Number);
    L.tileLayer(root.dataset.tiles, { minNativeZoom: from, maxNativeZoom: to, maxZoom: 19, bounds: [[south, west], [north, east]] }).addTo(map);
  }
  if (root.dataset.ground) window.bocageGround(map, root.dataset.ground);
  layer.addTo(map);
  // Beside a panel or a drawer there is less room: who looks at the whole still sees the whole.
  new ResizeObserver(() => {
    const isWhole = where() === wholeView;
    map.invalidateSize();
    if (isWhole) whole();
    else if (layer.chosen !== null && !map.getBounds().contains(layer.place(layer.chosen))) map.panTo(layer.place(layer.chosen), { animate: false });
  }).observe(root);

  // From its own element each part has a queue of its own: of one queue htmx keeps the last request alone, and a list
  // that is asked for would push out the figures of the light that was chosen.
  const put = (address, target) => htmx.ajax("GET", address, { source: target, target, swap: "innerHTML" });

  // --- what is in view
  let asked = 0;
  const list = () => {
    clearTimeout(asked);
    asked = setTimeout(() => {
      const query = asking();
      query.set("box", map.getBounds().toBBoxString());
      put(`${side.dataset.address}?${query}`, "#in-view");
    }, 150);
  };
  map.on("moveend", () => { write(chosenId()); list(); });

  // --- what is chosen
  const open = (chosen, i, address, place) => {
    layer.chosen = i;
    layer.redraw();
    spaces.choose(chosen);
    write(chosen);
    panel.hidden = false;
    put(address, "#chosen");
    if (place && !map.getBounds().pad(-0.1).contains(place)) map.panTo(place, { animate: !isStill });
  };
  const choose = (i, id, isMoved) => open(`light/${id}`, i, root.dataset.light + encodeURIComponent(id), isMoved && i !== null ? layer.place(i) : null);
  const spaces = window.spacesLayer(map, (one) => open(one.id, null, one.address, null));
  const closed = () => { layer.chosen = null; panel.hidden = true; document.getElementById("chosen").replaceChildren(); layer.redraw(); spaces.choose(null); write(null); };
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
    const named = event.target.closest("a[data-space]"), toggled = event.target.closest("[data-layer]");
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
    } else if (named && side.contains(named) && !event.metaKey && !event.ctrlKey) {
      const one = spaces.find(named.dataset.space);
      if (!one) return; // without a position its own address shows it
      event.preventDefault();
      open(one.id, null, one.address, one.at);
    } else if (toggled) {
      const all = [...document.querySelectorAll("[data-layer]")].map((one) => one.dataset.layer), one = toggled.dataset.layer;
      if (!layers.size) for (const other of all) layers.add(other);
      if (!layers.delete(one)) layers.add(one);
      if (layers.size === all.length) layers.clear();
      else if (!layers.size) layers.add("none");
      spaces.show(layers.size ? layers : null);
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
  const loadSpaces = () => fetch(root.dataset.spaces).then((answer) => answer.json()).then((data) => spaces.set(data.spaces));
  if (layers.size) spaces.show(layers);
  if (root.dataset.chosen) layer.chosen = Number(root.dataset.chosen);
  Promise.all([load(), loadSpaces()]).then(() => {
    const chosen = spaces.find(root.dataset.chosenSpace);
    spaces.choose(root.dataset.chosenSpace);
    if (chosen && !map.getBounds().contains(chosen.at)) map.setView(chosen.at, Math.max(16, map.getZoom()), { animate: false });
    if (layer.chosen !== null && !map.getBounds().contains(layer.place(layer.chosen))) map.setView(layer.place(layer.chosen), Math.max(16, map.getZoom()), { animate: false });
    write(chosenId());
    list();
    let minute = null;
    window.bocageLive(root.dataset.live, version, (event) => {
      const shown = panel.querySelector("[data-n], [data-space]");
      const isLater = minute !== null && event.clock !== minute; // ages are told in minutes
      minute = event.clock;
      if (event.again) { Promise.all([load(), loadSpaces()]).then(list); return; }
      if (event.spaces) loadSpaces().then(list);
      if (event.spaces || isLater) {
        const one = shown && spaces.find(shown.dataset.space);
        if (one) put(one.address, "#chosen");
      }
      version = event.version;
      let isSeen = false;
      for (const [i, code] of event.changes) {
        isSeen ||= layer.codes[i] !== code;
        layer.setCode(i, code);
      }
      root.dataset.ready = version;
      if (isSeen) { layer.redraw(); list(); }
      if (shown?.dataset.n && (isLater || event.changes.some(([i]) => i === Number(shown.dataset.n)))) {
        put(root.dataset.light + encodeURIComponent(shown.dataset.id), "#chosen");
      }
    });
  });
})();
