// What moves: aircraft at the slider's time, their trail, where an unseen one may be, the hovered.

const TRAIL_MS = 600000;
const HALF = [[13, 0], [8, 2.2], [3, 2.4], [-3, 11], [-6, 11], [-3, 2.4], [-8, 2], [-11, 5.5], [-13, 5.5], [-11.5, 0]];

function makeMoment(canvas, shapes, projection, view) {
  const screen = canvas.getContext("2d");
  let ctx = screen;
  let room = null; // what the still picture's labels leave free
  const sides = new Map(); // where each caption was last, so that it does not jump
  const few = shapes.paths.length <= 12;
  const reachOf = new Map();
  for (const item of shapes.reach) reachOf.set(item.track + " " + Math.round(item.from.t), item);

  function polyline(points) {
    ctx.beginPath();
    points.forEach((p, i) => (i ? ctx.lineTo(...p) : ctx.moveTo(...p)));
  }

  function trail(shape, here, now) {
    const points = [view.toScreen(projection.forward(here.lat, here.lon))];
    for (let i = here.leg; i >= 0 && shape.t[i] >= now - TRAIL_MS; i--) {
      if (i < shape.kinds.length && LINES[shape.kinds[i]].unseen) break;
      points.push(view.toScreen(shape.points[i]));
    }
    if (points.length < 2) return;
    polyline(points);
    ctx.strokeStyle = "rgba(22,32,42,.28)";
    ctx.lineWidth = few ? 9 : 4;
    ctx.lineJoin = ctx.lineCap = "round";
    ctx.stroke();
  }

  /** Nobody sees the aircraft: all places within reach of both ends, and the last place seen. */
  function unseen(shape, i, now) {
    const item = reachOf.get(shape.id + " " + Math.round(shape.t[i]));
    if (item) {
      const km = (ms) => (item.speed_mps * ms) / 1e6;
      const { from, to } = item;
      const points = lens(from.lat, from.lon, km(now - from.t), to.lat, to.lon, km(to.t - now));
      if (points.length > 2) {
        polyline(points.map((p) => view.toScreen(projection.forward(...p))));
        ctx.closePath();
        ctx.fillStyle = "rgba(122,55,168,.16)";
        ctx.fill();
        ctx.strokeStyle = LINES.possible.color;
        ctx.lineWidth = 1.4;
        ctx.stroke();
      }
    }
    const [x, y] = view.toScreen(shape.points[i]);
    ctx.globalAlpha = 0.75;
    aircraft(x, y, heading(shape, Math.max(0, i - 1)), "#fff", LINES.gap.color);
    ctx.globalAlpha = 1;
    if (few) caption(shape, x, y, [clip(shape.label, 20), "not seen"]);
  }

  function heading(shape, i) {
    if (!shape.legs.length) return null;
    const points = shape.legs[i];
    const [a, b] = [points[0], points[points.length - 1]];
    return Math.atan2(b[1] - a[1], b[0] - a[0]);
  }

  function outline() { // nose to the right
    for (const [a, b] of HALF) ctx.lineTo(a, b);
    for (const [a, b] of HALF.slice(1, -1).reverse()) ctx.lineTo(a, -b);
  }

  function aircraft(x, y, angle, fill, rim) {
    const size = few ? 1 : 0.6;
    ctx.save();
    ctx.translate(x, y);
    ctx.rotate(angle);
    ctx.scale(size, size);
    ctx.beginPath();
    if (angle === null) ctx.arc(0, 0, 6, 0, 2 * Math.PI); // one report tells no heading
    else outline();
    ctx.closePath();
    ctx.lineJoin = "round";
    ctx.lineWidth = 5;
    ctx.strokeStyle = "#fff";
    ctx.stroke();
    ctx.fillStyle = fill;
    ctx.fill();
    ctx.lineWidth = 1.4;
    ctx.strokeStyle = rim;
    ctx.stroke();
    ctx.restore();
  }

  function caption(shape, x, y, lines) {
    if (x < 0 || y < 0 || x > view.w || y > view.h) return;
    ctx.font = `600 12px ${FONT}`;
    const width = Math.max(...lines.map((text) => ctx.measureText(text).width));
    const height = lines.length * 14;
    const boxes = [
      [16, -height / 2],
      [-16 - width, -height / 2],
      [-width / 2, -18 - height],
      [-width / 2, 18],
      [18, -20 - height],
      [18, 20],
      [-18 - width, -20 - height],
      [-18 - width, 20],
    ].map(([dx, dy]) => [x + dx, y + dy]);
    const free = ([left, top]) => room && room.fits(left, top, left + width, top + height);
    const before = boxes[sides.get(shape.id)];
    const side = before && free(before) ? sides.get(shape.id) : Math.max(0, boxes.findIndex(free));
    sides.set(shape.id, side);
    const [left, top] = boxes[side];
    if (!free(boxes[side])) {
      ctx.fillStyle = "rgba(255,255,255,.85)";
      ctx.fillRect(left - 3, top - 2, width + 6, height + 4);
    }
    lines.forEach((text, i) =>
      drawText(ctx, text, left, top + 11 + i * 14, { font: `${i ? "" : "600 "}12px ${FONT}`, halo: 4 }),
    );
  }

  function one(shape, now) {
    const here = pathAt(shape, now);
    if (!here) return;
    const kind = shape.kinds[here.leg] || "outside";
    if (kind === "apart" && here.share < 1) return;
    if (LINES[kind].unseen && here.share > 0 && here.share < 1) return unseen(shape, here.leg, now);
    trail(shape, here, now);
    const [x, y] = view.toScreen(projection.forward(here.lat, here.lon));
    aircraft(x, y, heading(shape, here.leg), LINES[kind].color, INK);
    if (few) caption(shape, x, y, [clip(shape.label, 20), levels(shape, here)].filter(Boolean));
  }

  function paint(now, hovered, dpr, taken) {
    room = taken;
    if (canvas.width !== Math.round(view.w * dpr) || canvas.height !== Math.round(view.h * dpr)) {
      canvas.width = Math.round(view.w * dpr);
      canvas.height = Math.round(view.h * dpr);
    }
    ctx = screen;
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, view.w, view.h);
    draw(now, hovered);
  }

  /** On paper all is one picture. */
  function paintOnto(other, now, taken) {
    room = taken;
    ctx = other;
    draw(now, null);
  }

  function draw(now, hovered) {
    if (hovered && hovered.shape) {
      polyline(hovered.shape.points.map(view.toScreen));
      ctx.strokeStyle = "rgba(22,32,42,.25)";
      ctx.lineWidth = 7;
      ctx.stroke();
    }
    for (const shape of shapes.paths) one(shape, now);
    if (hovered && hovered.at) {
      const [x, y] = view.toScreen(hovered.at);
      ctx.beginPath();
      ctx.arc(x, y, 10, 0, 2 * Math.PI);
      ctx.strokeStyle = INK;
      ctx.lineWidth = 1.5;
      ctx.stroke();
    }
  }

  return { paint, paintOnto };
}

/** "12,350 ft, 251 kt" at a place of a path; altitudes between two reports are interpolated. */
function levels(shape, here) {
  const value = (list) => {
    if (!list) return null;
    const [a, b] = [list[here.leg], list[Math.min(here.leg + 1, list.length - 1)]];
    return a === null || b === null ? a : a + here.share * (b - a);
  };
  const [alt, speed] = [value(shape.alt), value(shape.gs)];
  const parts = [];
  if (alt !== null) parts.push(`${(Math.round(alt / 25) * 25).toLocaleString("en")} ft`);
  if (speed !== null) parts.push(`${Math.round(speed)} kt`);
  return parts.join(", ");
}
