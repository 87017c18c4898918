// Puts the page together.

const scene = JSON.parse(document.getElementById("scene").textContent);
const $ = (id) => document.getElementById(id);
const projection = makeProjection(scene.view.lat, scene.view.lon, scene.view.radius_deg);
const shapes = makeShapes(scene, projection);
const timeless = !scene.time; // a scene may have none
scene.time = scene.time || { start_ms: 0, span_ms: 0, zones: [] };
const clock = makeClock(scene.time);
const stage = $("stage");
const span = scene.time.span_ms;
scene.several = shapes.paths.length > 1;
scene.zonesWithStays = new Set((scene.stays || []).map((row) => row.zone)).size;

// seconds shown a second
const SPEEDS = [
  [1, "real time"], [10, "10 s/s"], [30, "30 s/s"], [60, "1 min/s"], [120, "2 min/s"], [300, "5 min/s"],
  [600, "10 min/s"], [1800, "30 min/s"], [3600, "1 h/s"], [21600, "6 h/s"], [86400, "1 day/s"],
];

let now = 0;
let hovered = null;
let stale = true; // the still picture is to be drawn anew
let asked = false;
let paperScale = 0;
let room = null;

const view = makeView(stage, $("top"), () => refresh());
const painter = makePainter($("base"), scene, shapes, projection, view, clock);
const moment = makeMoment($("top"), shapes, projection, view);

function refresh(base = true) {
  stale = stale || base;
  if (asked) return;
  asked = true;
  requestAnimationFrame(paint);
}

function paint() {
  asked = false;
  const dpr = paperScale || window.devicePixelRatio || 1;
  if (stale) room = painter.paint(now, dpr);
  if (paperScale) moment.paintOnto(painter.ctx, now, room);
  else moment.paint(now, hovered, dpr, room);
  stale = false;
}

const home = scene.view.hold.map(([lat, lon]) => projection.forward(lat, lon));
if (!home.length) home.push([0, 0]);
const radiusKm = scene.view.radius_deg * RAD * EARTH_KM;
function showAll() {
  const xs = home.map((p) => p[0]);
  const ys = home.map((p) => p[1]);
  const tiny = Math.max(...xs) - Math.min(...xs) + Math.max(...ys) - Math.min(...ys) < radiusKm / 2;
  view.fit(tiny ? [[-radiusKm, -radiusKm], [radiusKm, radiusKm]] : home, tiny ? 0.02 : 0.14);
}

function resize() {
  const first = view.w === 1;
  const middle = view.toMap(view.w / 2, view.h / 2);
  view.resize();
  view.least = Math.min(view.w, view.h) / Math.min(24 * radiusKm + 500, 2 * projection.rim);
  view.most = 60; // 17 m a pixel: beyond it the picture is no longer as exact as it looks
  if (first) showAll();
  else [view.x, view.y] = middle;
  refresh();
}

function setTime(ms) {
  const inForce = (at) => shapes.areas.map((a) => (a.from === null || a.from <= at) && (a.to === null || at < a.to)).join();
  const changed = inForce(now) !== inForce(ms);
  now = Math.max(0, Math.min(span, ms));
  $("slider").value = now;
  $("slider").setAttribute("aria-valuetext", clock.all(now)[0]);
  $("clocks").replaceChildren(...clock.zones.map((zone) => {
    const name = clock.zoneName(now, zone);
    const { offset } = clock.at(now, zone);
    const more = zone.name === "UTC" ? "" : name.startsWith("UTC") ? zone.name : `${clock.offsetName(offset)} ${zone.name}`;
    return element("div", { class: "clock", title: zone.name },
      element("span", { class: "date" }, clock.text(now, zone, { date: "full" }).replace(/ \S+$/, "")),
      element("span", { class: "time" }, clock.text(now, zone, { date: "none" })),
      element("span", { class: "zone" }, name, more ? element("small", {}, ` ${more}`) : null));
  }));
  refresh(changed);
}

/** Show one stay: its ends on the map, its time on the slider. */
function showStay(number) {
  const row = scene.stays[number];
  const begin = row.entry.t === null ? row.earliest : row.entry.t;
  const end = row.exit.t === null ? row.latest : row.exit.t;
  const shape = shapes.paths.find((path) => path.id === row.track);
  const points = [row.entry, row.exit].filter((e) => e.lat !== null).map((e) => projection.forward(e.lat, e.lon));
  if (shape) {
    const from = Math.max(0, shape.t.findIndex((t) => t > begin) - 1);
    for (let i = from; i < shape.t.length && shape.t[i] <= end; i++) points.push(shape.points[i]);
    for (const item of shapes.reach)
      if (item.stay === number) points.push(projection.forward(item.to.lat, item.to.lon));
  }
  if (points.length) {
    const [x, y] = points[0];
    const room = 8; // km: never so close that nothing else is seen
    view.fit([...points, [x - room, y - room], [x + room, y + room]], 0.25);
  }
  for (const line of document.querySelectorAll("tr.chosen")) line.classList.remove("chosen");
  $(`stay-${number}`).classList.add("chosen");
  setTime(begin);
  stage.scrollIntoView({ block: "nearest" });
}

function startTime() {
  const slider = $("slider");
  if (timeless) {
    $("timebar").hidden = true;
    now = -1; // before all paths: no aircraft is shown
    return;
  }
  if (!span) {
    $("timebar").classList.add("still");
    setTime(0);
    return;
  }
  slider.max = span;
  for (const [speed, name] of SPEEDS) $("speed").append(element("option", { value: speed }, name));
  $("speed").value = (SPEEDS.find(([speed]) => span / 1000 / speed <= 60) || SPEEDS.at(-1))[0];
  const step = (way) => setTime(now + way * Number($("speed").value) * 1000);
  const toggle = makePlayer();
  $("back").addEventListener("click", () => step(-1));
  $("forth").addEventListener("click", () => step(1));
  slider.addEventListener("input", () => setTime(Number(slider.value)));
  slider.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!way) return;
    event.preventDefault();
    step(way);
  });
  $("top").addEventListener("keydown", (event) => {
    const act = { " ": toggle, ",": () => step(-1), ".": () => step(1) }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  const entries = (scene.stays || []).map((row) => row.entry.t).filter((t) => t !== null);
  setTime(entries.length ? Math.min(...entries) : 0);
}

/** The play button; returns what it does. */
function makePlayer() {
  let last = 0;
  let playing = false;
  const mark = () => {
    $("play").textContent = playing ? "❚❚" : "▶";
    $("play").setAttribute("aria-label", playing ? "Pause" : "Play");
  };
  const tick = (time) => {
    if (!playing) return;
    if (last) setTime(now + Math.min(200, time - last) * Number($("speed").value));
    last = time;
    if (now >= span) playing = false;
    mark();
    if (playing) requestAnimationFrame(tick);
  };
  const toggle = () => {
    playing = !playing;
    last = 0;
    if (playing && now >= span) setTime(0);
    mark();
    if (playing) requestAnimationFrame(tick);
  };
  $("play").addEventListener("click", toggle);
  return toggle;
}

/** Above the slider: when some track was inside, possibly inside, or not seen. */
function paintStrip() {
  const canvas = $("strip");
  const [w, h] = [canvas.clientWidth, canvas.clientHeight];
  if (!span || !w) return;
  const dpr = 2;
  canvas.width = w * dpr;
  canvas.height = h * dpr;
  const ctx = canvas.getContext("2d");
  ctx.scale(dpr, dpr);
  for (const [kind, look] of Object.entries(LINES)) {
    ctx.fillStyle = kind === "outside" ? "#b9c4cd" : look.color;
    ctx.globalAlpha = kind === "gap" || kind === "apart" ? 0 : 1;
    const [top, height] = kind === "outside" ? [h / 2 - 1, 2] : look.unseen ? [h / 2 - 2, 4] : [1, h - 2];
    for (const { t, runs } of shapes.paths)
      runs.forEach(([from, k], n) => {
        const to = n + 1 < runs.length ? runs[n + 1][0] : t.length - 1;
        const [a, b] = [(t[from] / span) * w, (t[to] / span) * w];
        if (k === kind) ctx.fillRect(a, top, Math.max(0.7, b - a), height);
      });
  }
}

function pointer() {
  const top = $("top");
  const look = (event) => {
    const [px, py] = view.place(event);
    const place = projection.inverse(...view.toMap(px, py));
    $("readout").textContent = place ? position(...place) : "";
    hovered = view.busy() && event.type !== "pointerdown" ? null : findUnder(shapes, view, px, py);
    if (hovered) fillTip($("tip"), hovered, scene, clock, view);
    else $("tip").hidden = true;
    top.style.cursor = hovered ? "pointer" : "";
    refresh(false);
  };
  top.addEventListener("pointermove", look);
  top.addEventListener("pointerdown", look);
  top.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "touch") return;
    hovered = null;
    $("tip").hidden = true;
    $("readout").textContent = "";
    refresh(false);
  });
  top.addEventListener("click", () => {
    if (!hovered) return;
    if (!timeless) setTime(hovered.mark && hovered.mark.form === "stay" ? hovered.mark.t : hovered.t ?? now);
  });
  top.addEventListener("keydown", (event) => {
    if (event.key === "0" || event.key === "Home") showAll();
    if (event.key === "Escape") $("tip").hidden = true;
  });
  $("zoom-in").addEventListener("click", () => view.zoom(1.6));
  $("zoom-out").addEventListener("click", () => view.zoom(1 / 1.6));
  $("fit").addEventListener("click", showAll);
}

function words() {
  $("title").textContent = scene.title;
  const parts = [];
  if (scene.stays) {
    const tracks = shapes.paths.length;
    parts.push(`${tracks.toLocaleString("en")} ${tracks === 1 ? "track" : "tracks"}`);
    const [from, to] = [0, span].map((ms) => clock.text(ms, UTC, { date: "full" }));
    if (shapes.paths.length || scene.stays.length) parts.push(span ? `${from} to ${to} UTC` : `${from} UTC`);
  }
  $("summary").textContent = scene.summary || parts.join(" · ");
  fillLegend($("legend"), scene, shapes, refresh);
  fillTable($("stays"), scene, clock, showStay);
  const notes = [...scene.notes, `Projection: ${projection.name.toLowerCase()}, centred on ${position(scene.view.lat, scene.view.lon)}.`];
  $("foot").append(...[...notes, scene.credits.join(" ")].map((text) => element("p", {}, text)));
}

words();
startTime();
pointer();
new ResizeObserver(() => { resize(); paintStrip(); }).observe(stage);
for (const [name, scale] of [["beforeprint", 3], ["afterprint", 0]])
  window.addEventListener(name, () => { paperScale = scale; stale = true; paint(); });
