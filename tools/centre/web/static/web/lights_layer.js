// One canvas of our own for all lights of a commune: what is in view is drawn anew when the view or a state changes;
// while the map is dragged the canvas moves with it, and nothing is drawn. Knows no page.
"use strict";

window.LightsLayer = (() => {
  const COLOURS = { l: "#fbbf24", o: "#64748b", u: "#64748b", f: "#f87171", p: "#c4b5fd", n: "#94a3b8", street: "#33415599" };
  // What wants an eye is drawn last, over the others, and has a size at every zoom.
  const ORDER = "oulpnf";
  const SMALLEST = { l: 1.2, o: 1, u: 1, p: 3, n: 3.5, f: 5 };
  const PAD = 0.3; // of the view, drawn beyond each edge
  const STREET_M = 120; // lights of one street farther apart are not joined

  const mercator = (longitude, latitude) => {
    const sine = Math.sin((latitude * Math.PI) / 180);
    return [longitude / 360 + 0.5, 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)];
  };

  // The shapes of screens: a disc, a small ring, a ring with a bar, a diamond, a half disc, a hatched square.
  const SHAPES = {
    l(g, r) { disc(g, r); g.fill(); },
    o(g, r) { disc(g, r * 0.65); g.stroke(); },
    u(g, r) { disc(g, r * 0.75); g.stroke(); line(g, -r, 0, r, 0); },
    f(g, r) { g.beginPath(); g.moveTo(0, -r); g.lineTo(r, 0); g.lineTo(0, r); g.lineTo(-r, 0); g.closePath(); g.fill(); },
    p(g, r) { disc(g, r * 0.85); g.stroke(); g.beginPath(); g.arc(0, 0, r * 0.85, Math.PI / 2, -Math.PI / 2); g.fill(); },
    n(g, r) {
      const a = r * 0.8;
      g.strokeRect(-a, -a, 2 * a, 2 * a); line(g, -a, 0, 0, -a); line(g, -a, a, a, -a); line(g, 0, a, a, 0);
    },
  };
  const disc = (g, r) => { g.beginPath(); g.arc(0, 0, r, 0, 2 * Math.PI); };
  const line = (g, a, b, c, d) => { g.beginPath(); g.moveTo(a, b); g.lineTo(c, d); g.stroke(); };

  return L.Layer.extend({
    initialize() {
      this.count = 0;
      this.shown = null; // letters that are drawn; null: all
      this.chosen = null;
      this._sprites = new Map();
    },

    setData(data) {
      const n = data.codes.length / 2;
      this.count = n;
      this.longitude = new Float64Array(n); this.latitude = new Float64Array(n);
      this._x = new Float64Array(n); this._y = new Float64Array(n);
      this.codes = data.codes.match(/../g) || [];
      const nowhere = new Set(data.nowhere);
      this._joined = new Uint8Array(n);
      const first = new Set();
      data.streets.reduce((at, lights) => { first.add(at); return at + lights; }, 0);
      let east = 0, north = 0;
      for (let i = 0; i < n; i++) {
        east += data.steps[2 * i]; north += data.steps[2 * i + 1];
        this.longitude[i] = data.origin[0] + east * data.step;
        this.latitude[i] = data.origin[1] + north * data.step;
        [this._x[i], this._y[i]] = nowhere.has(i) ? [NaN, NaN] : mercator(this.longitude[i], this.latitude[i]);
        const metres = 111320 * data.step * Math.hypot(data.steps[2 * i] * 0.7, data.steps[2 * i + 1]);
        this._joined[i] = i > 0 && !first.has(i) && metres < STREET_M ? 1 : 0;
      }
      this.redraw();
    },

    setCode(i, code) { this.codes[i] = code; },

    place(i) { return L.latLng(this.latitude[i], this.longitude[i]); },

    isShown(i) { return (!this.shown || this.shown.has(this.codes[i][0])) && !Number.isNaN(this._x[i]); },

    // The light at a point of the view, within reach of a finger; a fault before others.
    at(point) {
      const view = this._view();
      let best = null, least = 24 * 24;
      for (let i = 0; i < this.count; i++) {
        if (!this.isShown(i)) continue;
        const dx = this._x[i] * view.scale - view.left - point.x, dy = this._y[i] * view.scale - view.top - point.y;
        const far = (dx * dx + dy * dy) * (this.codes[i][0] === "f" ? 0.5 : 1);
        if (far < least) { least = far; best = i; }
      }
      return best;
    },

    onAdd(map) {
      this._map = map;
      this._canvas = L.DomUtil.create("canvas", "lights leaflet-zoom-animated");
      this._canvas.setAttribute("aria-hidden", "true");
      map.getPanes().overlayPane.appendChild(this._canvas);
      map.on("moveend resize", this.redraw, this);
      map.on("zoomanim", this._zooming, this);
      this.redraw();
    },

    onRemove(map) {
      map.off("moveend resize", this.redraw, this).off("zoomanim", this._zooming, this);
      this._canvas.remove();
    },

    _view() {
      const zoom = this._map.getZoom(), scale = 256 * 2 ** zoom, bounds = this._map.getPixelBounds();
      return { zoom, scale, left: bounds.min.x, top: bounds.min.y, size: this._map.getSize() };
    },

    _zooming(event) {
      const scale = this._map.getZoomScale(event.zoom, this._zoom);
      const offset = this._map._latLngToNewLayerPoint(this._corner, event.zoom, event.center);
      L.DomUtil.setTransform(this._canvas, offset, scale);
    },

    _sprite(code, zoom) {
      const kind = code[0], ratio = window.devicePixelRatio || 1;
      const wanted = 1.1 * 1.45 ** (zoom - 13) * (kind === "l" ? 0.6 + 0.4 * (+code[1] / 9) : 0.8);
      const r = Math.round(4 * Math.min(kind === "l" ? 9 : 7.5, Math.max(SMALLEST[kind], wanted))) / 4;
      const key = kind + r + (kind === "l" ? code[1] : "") + ratio;
      let found = this._sprites.get(key);
      if (!found) {
        const glow = kind === "l" ? r * 2.6 : kind === "f" ? r + 3 : r + 1.5, side = 2 * Math.ceil(glow);
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = side * ratio;
        const g = canvas.getContext("2d");
        g.scale(ratio, ratio); g.translate(side / 2, side / 2);
        g.fillStyle = g.strokeStyle = COLOURS[kind]; g.lineWidth = r < 3 ? 1 : 1.6;
        if (kind === "l") {
          const light = g.createRadialGradient(0, 0, 0, 0, 0, glow), warm = 0.2 + 0.25 * (+code[1] / 9);
          light.addColorStop(0, `rgba(251,191,36,${warm})`); light.addColorStop(1, "rgba(251,191,36,0)");
          g.fillStyle = light; disc(g, glow); g.fill();
          g.fillStyle = `rgb(${253 - 6 * (9 - code[1])},${214 - 7 * (9 - code[1])},${110 - 6 * (9 - code[1])})`;
        }
        if (kind === "f") { g.save(); g.fillStyle = "#0b1120"; SHAPES.f(g, r + 2.5); g.restore(); }
        SHAPES[kind](g, r);
        found = { canvas, half: side / 2, side };
        this._sprites.set(key, found);
      }
      return found;
    },

    redraw() {
      if (!this._map || !this._canvas) return;
      const view = this._view(), ratio = window.devicePixelRatio || 1;
      const padX = Math.round(view.size.x * PAD), padY = Math.round(view.size.y * PAD);
      const width = view.size.x + 2 * padX, height = view.size.y + 2 * padY;
      const corner = this._map.containerPointToLayerPoint([-padX, -padY]);
      this._zoom = view.zoom; this._corner = this._map.layerPointToLatLng(corner);
      if (this._canvas.width !== width * ratio || this._canvas.height !== height * ratio) {
        this._canvas.width = width * ratio; this._canvas.height = height * ratio;
        this._canvas.style.width = `${width}px`; this._canvas.style.height = `${height}px`;
      }
      L.DomUtil.setTransform(this._canvas, corner, 1);
      const g = this._canvas.getContext("2d");
      g.setTransform(ratio, 0, 0, ratio, 0, 0);
      g.clearRect(0, 0, width, height);
      const left = view.left - padX, top = view.top - padY;
      const layers = {};
      for (const letter of ORDER) layers[letter] = [];
      g.strokeStyle = COLOURS.street; g.lineWidth = view.zoom < 15 ? 1 : 2; g.beginPath();
      let beforeX = NaN, beforeY = NaN;
      for (let i = 0; i < this.count; i++) {
        const x = this._x[i] * view.scale - left, y = this._y[i] * view.scale - top;
        const isIn = x > -20 && y > -20 && x < width + 20 && y < height + 20;
        if (isIn && this._joined[i]) { g.moveTo(beforeX, beforeY); g.lineTo(x, y); }
        beforeX = x; beforeY = y;
        if (isIn && this.isShown(i)) layers[this.codes[i][0]].push(i, x, y);
      }
      g.stroke();
      for (const letter of ORDER) {
        const drawn = layers[letter];
        g.globalCompositeOperation = letter === "l" ? "lighter" : "source-over";
        for (let k = 0; k < drawn.length; k += 3) {
          const sprite = this._sprite(this.codes[drawn[k]], view.zoom);
          g.drawImage(sprite.canvas, Math.round(drawn[k + 1] - sprite.half), Math.round(drawn[k + 2] - sprite.half), sprite.side, sprite.side);
        }
      }
      g.globalCompositeOperation = "source-over";
      if (this.chosen !== null && this.chosen < this.count) {
        g.strokeStyle = "#e2e8f0"; g.lineWidth = 2;
        g.beginPath(); g.arc(this._x[this.chosen] * view.scale - left, this._y[this.chosen] * view.scale - top, 14, 0, 7); g.stroke();
      }
    },
  });
})();
