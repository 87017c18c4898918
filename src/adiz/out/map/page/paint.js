// The still picture: sea, land, graticule, zones, tracks, marks, labels, scale.

const TOWN_SCALES = { 1: 0.05, 2: 0.25, 3: 0.9 }; // pixels per km from which a town is named
const MAX_LABELLED = 40; // with more marks in view than this their labels tell nothing; zooming in brings them

function makePainter(canvas, scene, shapes, projection, view, clock) {
  const ctx = canvas.getContext("2d");
  const lines = new Map(); // class -> one path for all legs of that class
  for (const shape of shapes.paths)
    shape.legs.forEach((points, i) => {
      const kind = shape.kinds[i];
      if (kind === "apart") return;
      if (!lines.has(kind)) lines.set(kind, new Path2D());
      const path = lines.get(kind);
      if (!i || shape.kinds[i - 1] !== kind || LINES[kind].dash.length) path.moveTo(...points[0]);
      for (const p of points.slice(1)) path.lineTo(...p);
    });
  const many = shapes.paths.length > 40;

  const inView = ([x, y], more = 8) => x > -more && y > -more && x < view.w + more && y < view.h + more;
  const inMap = (dpr) =>
    ctx.setTransform(dpr * view.k, 0, 0, dpr * view.k, dpr * (view.w / 2 - view.x * view.k), dpr * (view.h / 2 - view.y * view.k));
  const inScreen = (dpr) => ctx.setTransform(dpr, 0, 0, dpr, 0, 0);

  function stroke(path, color, width, dash = []) {
    ctx.strokeStyle = color;
    ctx.lineWidth = width / view.k;
    ctx.setLineDash(dash.map((d) => d / view.k));
    ctx.stroke(path);
    ctx.setLineDash([]);
  }

  function area(shape, now) {
    const inForce = (shape.from === null || shape.from <= now) && (shape.to === null || now < shape.to);
    const faint = shape.kind === "fir";
    ctx.save();
    ctx.clip(shape.path, "evenodd");
    if (inForce && !faint) {
      ctx.globalAlpha = 0.06;
      ctx.fillStyle = shape.color;
      ctx.fillRect(-1e6, -1e6, 2e6, 2e6);
    }
    ctx.globalAlpha = inForce ? 0.16 : 0.08;
    stroke(shape.path, shape.color, 18); // the half outside is cut off: it shows which side is in
    ctx.restore();
    stroke(shape.path, shape.color, faint ? 1.1 : 1.7, !inForce ? [3, 4] : faint ? [10, 3, 2, 3] : []);
  }

  function graticule() {
    const steps = [30, 20, 10, 5, 2, 1, 0.5, 1 / 3, 1 / 6, 1 / 12, 1 / 30, 1 / 60];
    const degrees = (Math.max(view.w, view.h) / view.k / EARTH_KM) / RAD;
    const seen = [];
    for (let i = 0; i <= 12; i++)
      for (let j = 0; j <= 12; j++) {
        const place = projection.inverse(...view.toMap((view.w * i) / 12, (view.h * j) / 12));
        if (place) seen.push([place[0], projection.lon0 + wrap(place[1] - projection.lon0)]);
      }
    if (!seen.length) return [];
    const range = (n) => [Math.min(...seen.map((p) => p[n])), Math.max(...seen.map((p) => p[n]))];
    const [south, north] = range(0);
    const [west, east] = range(1);
    const step = steps.find((s) => s <= degrees / 5) || 1 / 60;
    const wide = steps.find((s) => s <= (1.3 * step) / Math.max(0.1, Math.cos(projection.lat0 * RAD))) || step;
    const path = new Path2D();
    const labels = [];
    const draw = (values, point, name, edge) => {
      for (const value of values) {
        let before = null;
        for (let i = 0; i <= 60; i++) {
          const p = projection.forward(...point(value, i / 60));
          if (before) path.lineTo(...p);
          else path.moveTo(...p);
          const s = view.toScreen(p);
          if (before) {
            const hit = edge(before, s);
            if (hit) labels.push({ text: name(value), ...hit });
          }
          before = s;
        }
      }
    };
    const along = (a, b, d) => {
      const out = [];
      for (let n = Math.ceil(a / d - 1e-9); n * d <= b + 1e-9; n++) out.push(n * d);
      return out;
    };
    const margin = step;
    draw(along(west, east, wide), (lon, s) => [Math.max(-89, south - margin) + s * (Math.min(89, north + margin) - Math.max(-89, south - margin)), lon],
      (lon) => degreeText(wrap(lon), "E", "W"), (a, b) => crossAt(a, b, 1, view.h - 6));
    draw(along(Math.max(south, -85), Math.min(north, 85), step), (lat, s) => [lat, west - margin + s * (east - west + 2 * margin)],
      (lat) => degreeText(lat, "N", "S"), (a, b) => crossAt(a, b, 0, 6));
    stroke(path, GRID, 1);
    return labels;
  }

  function scaleBar(room) {
    const [x, y] = [16, view.h - 44];
    const a = projection.inverse(...view.toMap(x, y));
    const b = projection.inverse(...view.toMap(x + 100, y));
    if (!a || !b) return;
    const kmPerPx = distanceKm(...a, ...b) / 100;
    const nice = (most) => [5, 2, 1].map((n) => n * 10 ** Math.floor(Math.log10(most))).find((n) => n <= most);
    const most = Math.min(170, view.w * 0.3) * kmPerPx;
    const bars = [["NM", 1.852], ["km", 1]].map(([name, km]) => ({ name, value: nice(most / km), km }));
    const longest = Math.max(...bars.map((bar) => (bar.value * bar.km) / kmPerPx));
    ctx.fillStyle = "rgba(255,255,255,.8)";
    ctx.fillRect(x - 8, y - 18, longest + 62, 38);
    room.take(x - 8, y - 18, x + longest + 54, y + 20);
    ctx.strokeStyle = ctx.fillStyle = INK;
    ctx.lineWidth = 1.4;
    ctx.font = `11px ${FONT}`;
    ctx.textAlign = "left";
    ctx.beginPath();
    bars.forEach((bar, i) => { // one line, nautical miles above it, kilometres below
      const px = (bar.value * bar.km) / kmPerPx;
      const tip = y + (i ? 6 : -6);
      ctx.moveTo(x, tip);
      ctx.lineTo(x, y);
      ctx.lineTo(x + px, y);
      ctx.lineTo(x + px, tip);
      ctx.fillText(`${Number(bar.value.toPrecision(3))} ${bar.name}`, x + px + 5, y + (i ? 13 : -4));
    });
    ctx.stroke();
  }

  function marksInView(room) {
    const marks = shapes.marks.map((mark) => ({ ...mark, s: view.toScreen(mark.at) }));
    const shown = marks.filter((mark) => inView(mark.s) && (!mark.rank || TOWN_SCALES[mark.rank] < view.k));
    const crowded = shown.filter((mark) => mark.form === "stay").length > MAX_LABELLED;
    for (const mark of shown) {
      mark.silent = mark.quiet || (crowded && mark.form === "stay");
      if (!mark.rank && !mark.silent) room.take(mark.s[0] - 5, mark.s[1] - 5, mark.s[0] + 5, mark.s[1] + 5);
    }
    return shown;
  }

  function markLabels(room, shown) {
    const rank = (mark) => (mark.rank ? 2 + mark.rank : mark.form === "place" ? 0 : mark.kind === "crossed" ? 1 : 2);
    const waiting = together(shown.filter((mark) => !mark.silent));
    waiting.sort((a, b) => rank(a) - rank(b));
    const size = view.w < 600 ? 11 : 12;
    const placed = [];
    for (const mark of waiting) {
      const text = markText(mark, scene, clock, view.w < 600 && scene.time.span_ms < 86400000);
      ctx.font = `600 ${size}px ${FONT}`;
      const width = Math.max(...text.map((line) => ctx.measureText(line).width)) + 8;
      const height = text.length * (size + 3) + 3;
      const apart = ([x, y]) => Math.hypot(x - mark.s[0], y - mark.s[1]) > 4;
      const others = shown.filter((other) => !other.rank && apart(other.s)).map((other) => other.s);
      const box = mark.rank
        ? placeBeside(room, ...mark.s, width, height, [], [2])
        : placeBeside(room, ...mark.s, width, height, others, view.w < 600 && mark.form === "stay" ? [9, 20, 36] : undefined);
      if (!box) continue;
      room.take(box.left, box.top, box.left + width, box.top + height);
      placed.push({ mark, text, ...box, width, height });
    }
    for (const { mark, left, top, width, height, far } of placed) {
      if (far < 18) continue;
      const [x, y] = mark.s;
      ctx.strokeStyle = MUTED;
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(Math.max(left, Math.min(x, left + width)), Math.max(top, Math.min(y, top + height)));
      ctx.stroke();
    }
    for (const { s, ...mark } of shown) {
      const small = mark.form === "place";
      if (mark.rank) continue;
      if (small) drawPlace(ctx, ...s);
      else drawMark(ctx, ...s, mark.kind, mark.side, markColor(mark), many ? 3 : mark.quiet ? 3.5 : 5);
    }
    for (const { mark, text, left, top, width, height } of placed) {
      if (mark.rank) {
        drawPlace(ctx, ...mark.s, 1.8, MUTED);
        drawText(ctx, text[0], left + 4, top + size, { font: `${size - 1}px ${FONT}`, color: MUTED, halo: 2.5 });
        continue;
      }
      if (mark.form !== "place") {
        ctx.fillStyle = "rgba(255,255,255,.8)";
        ctx.beginPath();
        ctx.roundRect(left, top, width, height, 3);
        ctx.fill();
      }
      text.forEach((line, i) => {
        const strong = !i && mark.form !== "place";
        const font = `${strong ? "600 " : ""}${mark.form === "place" ? "italic " : ""}${size}px ${FONT}`;
        drawText(ctx, line, left + 4, top + size + 1 + i * (size + 3), { font, color: strong ? markColor(mark) : INK, halo: 2 });
      });
    }
  }

  function areaLabels(room) {
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    for (const shape of shapes.areas) {
      const text = clip(shape.label);
      const font = `700 13px ${FONT}`;
      ctx.font = font;
      ctx.letterSpacing = "1px";
      const [width, height] = [ctx.measureText(text).width + 10, 20];
      const inside = (x, y) => ctx.isPointInPath(shape.path, ...view.toMap(x, y), "evenodd");
      const edge = shape.edge.map(view.toScreen).filter((p) => inView(p, 200));
      const east = edge.filter((p) => inView(p)).reduce((a, b) => (a && a[0] > b[0] ? a : b), null);
      const box = placeWithin(room, inside, width, height, edge) || (east && placeBeside(room, ...east, width, height, [], [9, 20]));
      if (!box) continue;
      room.take(box.left, box.top, box.left + width, box.top + height);
      shape.labelAt = { text, font, x: box.left + width / 2, y: box.top + 15 };
    }
    ctx.letterSpacing = "0px";
  }

  function paint(now, dpr) {
    canvas.width = Math.round(view.w * dpr);
    canvas.height = Math.round(view.h * dpr);
    ctx.fillStyle = SEA;
    ctx.fillRect(0, 0, canvas.width, canvas.height);
    ctx.lineJoin = "round";
    inMap(dpr);
    ctx.fillStyle = LAND;
    ctx.fill(shapes.land.fill, "evenodd");
    const grid = graticule();
    inMap(dpr);
    stroke(shapes.land.coast, COAST, scene.view.radius_deg > 8 ? 0.6 : 0.9);
    for (const shape of shapes.areas) area(shape, now);
    drawTracks();
    const room = makeRoom(view.w, view.h);
    drawLabels(room, grid, dpr);
    return room;
  }

  function drawTracks() {
    for (const item of shapes.reach)
      if (item.path && item.shown) {
        ctx.fillStyle = LINES.possible.color;
        ctx.globalAlpha = 0.07;
        ctx.fill(item.path);
        ctx.globalAlpha = 1;
        stroke(item.path, LINES.possible.color, 1, [2, 3]);
      }
    for (const shape of shapes.paths)
      if (shape.band) {
        ctx.globalAlpha = 0.16;
        ctx.fillStyle = LINES[shape.kinds[0] || "reconstructed"].color;
        ctx.fill(shape.band, "nonzero");
        ctx.globalAlpha = 1;
      }
    for (const [kind, look] of Object.entries(LINES)) {
      const path = lines.get(kind);
      if (!path) continue;
      const width = many ? look.width * 0.6 : look.width;
      if (!look.dash.length) stroke(path, "rgba(255,255,255,.75)", width + 2.4);
      stroke(path, look.color, width, look.dash);
    }
  }

  function drawLabels(room, grid, dpr) {
    for (const shape of shapes.paths) room.line(shape.points.map(view.toScreen), 3);
    for (const shape of shapes.areas) room.line(shape.edge.map(view.toScreen), 1);
    for (const shape of shapes.areas) shape.labelAt = null;
    room.take(view.w - 52, 0, view.w, 130);
    const shown = marksInView(room);
    areaLabels(room);
    inScreen(dpr);
    scaleBar(room);
    ctx.font = `11px ${FONT}`;
    for (const { text, x, y, align } of grid) {
      const width = ctx.measureText(text).width;
      const left = align === "center" ? x - width / 2 : x;
      if (left < 4 || left + width > view.w - 4 || !room.clear(left, y - 10, left + width, y + 2)) continue;
      room.take(left - 4, y - 10, left + width + 4, y + 2);
      drawText(ctx, text, left, y, { font: `11px ${FONT}`, color: MUTED, halo: 2.5 });
    }
    markLabels(room, shown);
    ctx.letterSpacing = "1px";
    for (const { labelAt, color } of shapes.areas)
      if (labelAt) drawText(ctx, labelAt.text, labelAt.x, labelAt.y, { font: labelAt.font, color, align: "center", halo: 4 });
    ctx.letterSpacing = "0px";
  }

  return { paint, ctx };
}

function drawPlace(ctx, x, y, size = 3, color = INK) {
  ctx.beginPath();
  ctx.arc(x, y, size, 0, 2 * Math.PI);
  ctx.fillStyle = "#fff";
  ctx.fill();
  ctx.strokeStyle = color;
  ctx.lineWidth = 1.4;
  ctx.stroke();
}

/** The lines of a mark's label. */
function markText(mark, scene, clock, short) {
  if (mark.form !== "stay") return [clip(mark.label, 60)];
  const words = { entry: "In", exit: "Out" };
  const what = mark.kind === "crossed" ? words[mark.side] : { appeared: "First seen", vanished: "Last seen", lost: "Lost", reacquired: "Seen again", activated: "In force", deactivated: "Ends" }[mark.kind];
  const who = scene.several ? clip(mark.track, 14) + " " : "";
  const [utc, ...local] = clock.zones.slice(0, 3).map((zone, i) => {
    const date = short || (clock.sameDay(mark.t, zone) && i) ? "none" : "auto";
    return `${clock.text(mark.t, zone, { digits: 1, date })} ${clock.zoneName(mark.t, zone)}`;
  });
  if (scene.zonesWithStays < 2) return [`${who}${what} ${utc}`, ...local];
  return [...mark.zones.slice(0, 3).map((zone, i) => `${i ? "" : who + what + " "}${clip(zone, 24)}`), utc, ...local];
}

function degreeText(value, plus, minus) {
  const minutes = Math.round(Math.abs(value) * 60);
  const part = minutes % 60 ? `${two(minutes % 60)}′` : "";
  return `${Math.floor(minutes / 60)}°${part}${minutes % 10800 ? (value < 0 ? minus : plus) : ""}`;
}

/** Where a step of a line passes a screen edge: axis 0 a vertical one, 1 a level one. */
function crossAt(a, b, axis, at) {
  if (a[axis] < at === b[axis] < at) return null;
  const share = (at - a[axis]) / (b[axis] - a[axis]);
  const other = a[1 - axis] + share * (b[1 - axis] - a[1 - axis]);
  return axis ? { x: other, y: at, align: "center" } : { x: at, y: other - 3, align: "left" };
}

/** Marks of one aircraft at one time on one side, in several zones: one label. */
function together(marks) {
  const groups = new Map();
  for (const mark of marks) {
    const key = mark.form === "stay" ? [mark.track, Math.round(mark.t / 1000), mark.kind, mark.side].join("\t") : mark;
    if (groups.has(key)) groups.get(key).zones.push(mark.zone);
    else groups.set(key, { ...mark, zones: [mark.zone] });
  }
  return [...groups.values()];
}
