// Words around the map: legend, pointer read-out, what lies under the pointer. All text is set as
// text, never as markup.

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function swatch(width, height, draw) {
  const canvas = element("canvas", { "aria-hidden": "true" });
  const dpr = 3;
  canvas.width = width * dpr;
  canvas.height = height * dpr;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const ctx = canvas.getContext("2d");
  ctx.scale(dpr, dpr);
  draw(ctx);
  return canvas;
}

const lineSwatch = (look) =>
  swatch(34, 14, (ctx) => {
    ctx.strokeStyle = look.color;
    ctx.lineWidth = look.width;
    ctx.setLineDash(look.dash);
    ctx.moveTo(1, 7);
    ctx.lineTo(33, 7);
    ctx.stroke();
  });

const areaSwatch = (shape) =>
  swatch(34, 16, (ctx) => {
    ctx.globalAlpha = 0.2;
    ctx.fillStyle = shape.color;
    ctx.fillRect(1, 1, 32, 14);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = shape.color;
    ctx.lineWidth = 1.7;
    ctx.setLineDash(shape.kind === "fir" ? [10, 3, 2, 3] : []);
    ctx.strokeRect(1, 1, 32, 14);
  });

const entry = (picture, text) => element("li", {}, picture, element("span", {}, text));

function factList(facts) {
  const list = element("dl");
  for (const [name, value] of facts) list.append(element("dt", {}, name), element("dd", {}, value));
  return list;
}

function fillLegend(node, scene, shapes, refresh) {
  const kinds = new Set(shapes.paths.flatMap((shape) => shape.kinds));
  const lines = Object.entries(LINES).filter(([kind, look]) => look.label && kinds.has(kind)).reverse();
  if (lines.length) {
    node.append(element("h2", {}, "Tracks"));
    node.append(element("ul", {}, ...lines.map(([, look]) => entry(lineSwatch(look), look.label))));
    if (lines.some(([, look]) => look.unseen))
      node.append(element("p", {}, "A dashed line joins the reports on either side of a gap. It is not a path flown."));
  }
  const marks = new Map();
  for (const mark of shapes.marks)
    if (mark.form === "stay") marks.set(kindText(mark.kind, mark.side), mark);
  if (marks.size) {
    node.append(element("h2", {}, "Marks"));
    const items = [...marks].sort(([a], [b]) => (a < b ? -1 : 1)).map(([text, mark]) =>
      entry(swatch(34, 16, (ctx) => drawMark(ctx, 17, 8, mark.kind, mark.side, markColor(mark), 4.5)), text));
    node.append(element("ul", {}, ...items));
  }
  if (shapes.reach.some((item) => item.path)) {
    const box = element("input", { type: "checkbox", onchange: () => {
      for (const item of shapes.reach) item.shown = box.checked;
      refresh();
    } });
    box.checked = shapes.reach.length <= 3;
    for (const item of shapes.reach) item.shown = box.checked;
    const [least, most] = [Math.min, Math.max].map((f) => Math.round(f(...shapes.reach.map((r) => r.speed_mps)) * 3600 / 1852));
    const speed = least === most ? `${most}` : `${least} to ${most}`;
    node.append(element("label", { class: "check" }, box, element("span", {}, `Within reach during a gap (at most ${speed} kt)`)));
  }
  if (shapes.areas.length) {
    node.append(element("h2", {}, "Zones"));
    for (const shape of shapes.areas) {
      const claim = shape.facts.find(([name]) => name === "Claimed by");
      node.append(element("details", {},
        element("summary", {}, areaSwatch(shape), element("span", {}, element("b", {}, shape.label), claim ? ` claimed by ${claim[1]}` : "")),
        factList(shape.facts)));
    }
  }
}

/** What lies under a place on the screen: a mark, else a track. */
function findUnder(shapes, view, px, py) {
  let best = null;
  for (const mark of shapes.marks) {
    if (mark.rank) continue;
    const [x, y] = view.toScreen(mark.at);
    const away = Math.hypot(x - px, y - py);
    if (away < 13 && (!best || away < best.away)) best = { mark, at: mark.at, away };
  }
  if (best) return best;
  const [mx, my] = view.toMap(px, py);
  const near = 9 / view.k;
  for (const shape of shapes.paths)
    for (let i = 0; i < shape.kinds.length; i++) {
      if (shape.kinds[i] === "apart") continue;
      const [a, b] = [shape.points[i], shape.points[i + 1]];
      const [ux, uy] = [b[0] - a[0], b[1] - a[1]];
      const share = Math.max(0, Math.min(1, ((mx - a[0]) * ux + (my - a[1]) * uy) / (ux * ux + uy * uy || 1)));
      const away = Math.hypot(mx - a[0] - share * ux, my - a[1] - share * uy);
      if (away < near && (!best || away < best.away)) {
        const t = shape.t[i] + share * (shape.t[i + 1] - shape.t[i]);
        best = { shape, leg: i, share, t, at: [a[0] + share * ux, a[1] + share * uy], away };
      }
    }
  return best;
}

function fillTip(tip, found, scene, clock, view) {
  tip.replaceChildren();
  const lines = [];
  if (found.mark) {
    const { mark } = found;
    if (mark.form !== "stay") lines.push(mark.label, position(mark.lat, mark.lon));
    else {
      lines.push(`${clip(mark.track)}: ${kindText(mark.kind, mark.side)}`, clip(mark.zone, 60));
      lines.push(...clock.all(mark.t, { digits: 1, date: "full" }), position(mark.lat, mark.lon));
    }
    for (const [name, value] of mark.facts || []) lines.push(`${name}: ${value}`);
  } else {
    const { shape, leg } = found;
    const kind = shape.kinds[leg];
    lines.push(clip(shape.label), LINES[kind].label);
    if (LINES[kind].unseen) {
      lines.push(`last report ${clock.text(shape.t[leg])} UTC`, `next report ${clock.text(shape.t[leg + 1])} UTC`);
      lines.push(`${duration((shape.t[leg + 1] - shape.t[leg]) / 1000)} without reports`);
    } else lines.push(...clock.all(found.t), levels(shape, found));
    for (const [name, value] of shape.facts || []) if (/Type|Registration|Track/.test(name)) lines.push(`${name} ${clip(value)}`);
  }
  lines.filter(Boolean).forEach((line, i) => tip.append(element(i ? "span" : "b", {}, line)));
  tip.hidden = false;
  const [x, y] = view.toScreen(found.at);
  const left = x + 16 + tip.offsetWidth > view.w ? x - 16 - tip.offsetWidth : x + 16;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.max(4, Math.min(y - 12, view.h - tip.offsetHeight - 4))}px`;
}
