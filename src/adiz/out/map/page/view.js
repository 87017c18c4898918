// Where the reader looks: a centre on the map (km) and a scale (pixels per km); moved by pointer,
// wheel, fingers and keys.

function makeView(stage, target, onChange) {
  const view = { x: 0, y: 0, k: 1, w: 1, h: 1, least: 0, most: Infinity };

  view.toScreen = (p) => [(p[0] - view.x) * view.k + view.w / 2, (p[1] - view.y) * view.k + view.h / 2];
  view.toMap = (px, py) => [(px - view.w / 2) / view.k + view.x, (py - view.h / 2) / view.k + view.y];

  view.resize = () => {
    view.w = stage.clientWidth;
    view.h = stage.clientHeight;
  };

  /** Show all of some map points, with room around them. */
  view.fit = (points, pad = 0.1) => {
    const xs = points.map((p) => p[0]);
    const ys = points.map((p) => p[1]);
    const [x1, x2, y1, y2] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const share = 1 - 2 * pad;
    view.x = (x1 + x2) / 2;
    view.y = (y1 + y2) / 2;
    const k = Math.min((share * view.w) / (x2 - x1 || 1e-9), (share * view.h) / (y2 - y1 || 1e-9));
    view.k = Math.max(view.least, Math.min(view.most, k));
    onChange();
  };

  view.zoom = (factor, px = view.w / 2, py = view.h / 2) => {
    const before = view.toMap(px, py);
    view.k = Math.max(view.least, Math.min(view.most, view.k * factor));
    const after = view.toMap(px, py);
    view.x += before[0] - after[0];
    view.y += before[1] - after[1];
    onChange();
  };

  view.pan = (dx, dy) => {
    view.x -= dx / view.k;
    view.y -= dy / view.k;
    onChange();
  };

  const fingers = new Map();
  const place = (event) => {
    const box = target.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  target.addEventListener("pointerdown", (event) => {
    target.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event));
  });
  target.addEventListener("pointermove", (event) => {
    const was = fingers.get(event.pointerId);
    if (!was) return;
    const now = place(event);
    if (fingers.size === 1) view.pan(now[0] - was[0], now[1] - was[1]);
    if (fingers.size === 2) {
      const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
      const spread = (p) => Math.max(8, Math.hypot(p[0] - other[0], p[1] - other[1]));
      view.zoom(spread(now) / spread(was), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      view.pan((now[0] - was[0]) / 2, (now[1] - was[1]) / 2);
    }
    fingers.set(event.pointerId, now);
  });
  for (const name of ["pointerup", "pointercancel"])
    target.addEventListener(name, (event) => fingers.delete(event.pointerId));
  target.addEventListener("wheel", (event) => {
    event.preventDefault();
    view.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...place(event));
  }, { passive: false });
  target.addEventListener("dblclick", (event) => view.zoom(2, ...place(event)));
  target.addEventListener("keydown", (event) => {
    const step = 60;
    const act = {
      ArrowLeft: () => view.pan(step, 0),
      ArrowRight: () => view.pan(-step, 0),
      ArrowUp: () => view.pan(0, step),
      ArrowDown: () => view.pan(0, -step),
      "+": () => view.zoom(1.5),
      "=": () => view.zoom(1.5),
      "-": () => view.zoom(1 / 1.5),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  view.busy = () => fingers.size > 0;
  view.place = place;
  return view;
}
