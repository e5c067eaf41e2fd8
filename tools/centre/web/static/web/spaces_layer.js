// Draws the rooms and green spaces of a commune as marks that the server has made, the gravest on top; those that would
// cover each other are one mark with their number. Knows no page: `chosen` is called with what is pressed.
"use strict";

window.spacesLayer = (map, chosen) => {
  const NEAR_PX = 30; // a mark is 32 px wide
  const marks = L.layerGroup().addTo(map);
  let spaces = [], layers = null, selected = null;

  const redraw = () => {
    marks.clearLayers();
    const drawn = [];
    for (const one of spaces) {
      if (layers && !layers.has(one.layer)) continue;
      const at = map.latLngToLayerPoint(one.at);
      const near = drawn.find((other) => other.point.distanceTo(at) < NEAR_PX);
      if (near) near.others.push(one); // what comes first is the gravest
      else drawn.push({ one, point: at, others: [] });
    }
    for (const { one, others } of drawn) {
      const all = [one, ...others];
      const icon = L.divIcon({
        className: `space${all.some((each) => each.id === selected) ? " chosen" : ""}`, iconSize: [32, 32],
        html: one.mark + (others.length ? `<b>${all.length}</b>` : ""),
      });
      const title = all.slice(0, 8).map((each) => each.title).join("\n") + (all.length > 8 ? "\n…" : "");
      const mark = L.marker(one.at, { icon, title, alt: title, zIndexOffset: others.length || /cold|leak|fault|unknown/.test(one.shown) ? 500 : 0 });
      const pressed = () => {
        if (!others.length || map.getZoom() >= 18) { chosen(one); return; }
        map.fitBounds(L.latLngBounds(all.map((each) => each.at)), { padding: [64, 64], maxZoom: 19, animate: false });
        marks.eachLayer((other) => { if (other.options.title.startsWith(one.title)) other.getElement().focus(); });
      };
      mark.on("click", pressed);
      mark.on("keypress", (event) => { if (event.originalEvent.key === "Enter") pressed(); });
      marks.addLayer(mark);
    }
  };
  map.on("zoomend", redraw);
  return {
    set: (found) => { spaces = found; redraw(); },
    show: (wanted) => { layers = wanted; redraw(); },
    choose: (id) => { selected = id; redraw(); },
    find: (id) => spaces.find((one) => one.id === id),
  };
};
