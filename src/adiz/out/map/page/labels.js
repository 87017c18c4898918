// Labels that do not lie on each other, and as little as can be on tracks and edges.

const CELL = 6;

/** What is taken on the screen: boxes (nothing may touch them) and lines (better avoided). */
function makeRoom(w, h) {
  const cols = Math.ceil(w / CELL);
  const rows = Math.ceil(h / CELL);
  const lines = new Uint8Array(cols * rows);
  const boxes = [];

  const clear = (x1, y1, x2, y2) =>
    boxes.every((b) => x2 <= b[0] || x1 >= b[2] || y2 <= b[1] || y1 >= b[3]);

  function line(points, weight) {
    for (let i = 1; i < points.length; i++) {
      const [x1, y1] = points[i - 1];
      const [x2, y2] = points[i];
      if (Math.max(x1, x2) < 0 || Math.min(x1, x2) > w || Math.max(y1, y2) < 0 || Math.min(y1, y2) > h) continue;
      const steps = Math.min(2000, Math.ceil(Math.hypot(x2 - x1, y2 - y1) / CELL)) || 1;
      for (let s = 0; s <= steps; s++) {
        const col = Math.floor((x1 + ((x2 - x1) * s) / steps) / CELL);
        const row = Math.floor((y1 + ((y2 - y1) * s) / steps) / CELL);
        if (col >= 0 && col < cols && row >= 0 && row < rows)
          lines[row * cols + col] = Math.max(lines[row * cols + col], weight);
      }
    }
  }

  function cost(x1, y1, x2, y2) {
    let sum = 0;
    for (let row = Math.floor(y1 / CELL); row <= Math.floor(y2 / CELL); row++)
      for (let col = Math.floor(x1 / CELL); col <= Math.floor(x2 / CELL); col++)
        if (col >= 0 && col < cols && row >= 0 && row < rows) sum += lines[row * cols + col];
    return sum;
  }

  return {
    w,
    h,
    line,
    cost,
    clear,
    take: (x1, y1, x2, y2) => boxes.push([x1, y1, x2, y2]),
    fits: (x1, y1, x2, y2) => x1 >= 4 && y1 >= 4 && x2 <= w - 4 && y2 <= h - 4 && clear(x1, y1, x2, y2),
  };
}

/** The best free box of a size near a place and not nearer to one of `others`; or null. */
function placeBeside(room, x, y, width, height, others, distances = [9, 20, 36, 58, 84, 120]) {
  let best = null;
  for (const far of distances)
    for (let i = 0; i < 16; i++) {
      const angle = (Math.PI * i) / 8;
      const [cx, cy] = [Math.cos(angle), Math.sin(angle)];
      // the box touches the circle of radius `far` with its nearest edge or corner
      const left = x + cx * far + (width / 2) * (Math.sign(Math.round(cx * 2)) - 1);
      const top = y + cy * far + (height / 2) * (Math.sign(Math.round(cy * 2)) - 1);
      if (!room.fits(left, top, left + width, top + height)) continue;
      let price = room.cost(left, top, left + width, top + height) + far * 0.35 - cx * 0.5;
      const away = others.map(([ox, oy]) =>
        Math.hypot(Math.max(left - ox, 0, ox - left - width), Math.max(top - oy, 0, oy - top - height)));
      if (away.some((other) => other < Math.min(far, 24))) continue;
      price += 40 * away.filter((other) => other < far + 6).length;
      if (!best || price < best.price) best = { left, top, far, price };
    }
  return best;
}

/** A free box inside a shape, away from its edge and the screen's; `inside(x, y)` tells. */
function placeWithin(room, inside, width, height, edge) {
  let best = null;
  for (let i = 1; i < 16; i++)
    for (let j = 1; j < 12; j++) {
      const [x, y] = [(room.w * i) / 16, (room.h * j) / 12];
      const [left, top] = [x - width / 2, y - height / 2];
      const corners = [[left, top], [left + width, top], [left, top + height], [left + width, top + height]];
      if (!room.fits(left, top, left + width, top + height)) continue;
      if (!corners.every(([a, b]) => inside(a, b))) continue;
      let free = Math.min(x, room.w - x, y, room.h - y, 160);
      for (const [a, b] of edge) free = Math.min(free, Math.hypot(a - x, b - y));
      const price = room.cost(left, top, left + width, top + height) * 2 - free * 0.3;
      if (!best || price < best.price) best = { left, top, x, y, price };
    }
  return best;
}
