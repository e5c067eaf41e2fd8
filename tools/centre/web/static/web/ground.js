// Draws what lies under the lights: streets as hairlines, buildings a shade, water. The commune's own GeoJSON; no tiles.
"use strict";

window.bocageGround = (map, address) => {
  const STYLES = {
    street: { color: "#2b3a52", weight: 1.5, fill: false }, building: { color: "#33415a", weight: 1, fillColor: "#1f2b42", fillOpacity: 1 },
    house: { stroke: false, fillColor: "#151f33", fillOpacity: 1 }, green: { stroke: false, fillColor: "#0e2a1d", fillOpacity: 1 },
    water: { stroke: false, fillColor: "#0c2239", fillOpacity: 1 },
  };
  const pane = map.createPane("ground");
  pane.style.zIndex = 250; // above Leaflet's tiles, below the lights
  const renderer = L.canvas({ pane: "ground", padding: 0.3 });
  fetch(address).then((answer) => (answer.ok ? answer.json() : null)).then((ground) => {
    if (!ground) return;
    const style = (feature) => STYLES[feature.properties?.kind] || STYLES.street;
    L.geoJSON(ground, { pane: "ground", renderer, interactive: false, style, pointToLayer: () => null }).addTo(map);
  });
};
