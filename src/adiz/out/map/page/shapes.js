// From the scene's layers to shapes in map kilometres, made once; drawing only scales them.

function makeShapes(scene, projection) {
  const layer = (kind) => scene.layers.filter((l) => l.kind === kind).flatMap((l) => l.items || []);
  const land = scene.layers.filter((l) => l.kind === "land").flatMap((l) => l.rings);
  return {
    land: landShape(land, projection),
    areas: layer("areas").map((item, i) => areaShape(item, i, projection)),
    paths: layer("paths").map((item) => pathShape(item, projection)),
    marks: layer("marks").map((item) => ({ ...item, at: projection.forward(item.lat, item.lon) })),
    reach: layer("reach").map((item) => reachShape(item, projection)),
  };
}

function landShape(rings, projection) {
  const fill = new Path2D();
  const coast = new Path2D();
  const antipode = [-projection.lat0, wrap(projection.lon0 + 180)];
  for (const ring of rings) {
    const [lats, lons] = ring.map((text) => unpack(text, 10000));
    const points = Array.from(lats, (lat, i) => projection.forward(lat, lons[i]));
    if (points.every(([x, y]) => Math.hypot(x, y) > projection.rim * 0.999)) continue;
    fill.addPath(polygon(points));
    if (holds(lats, lons, antipode)) fill.arc(0, 0, projection.rim, 0, 2 * Math.PI);
    let down = false;
    for (let i = 0; i <= points.length; i++) {
      const j = i % points.length;
      const cut = (n) => Math.abs(lons[n]) > 179.9999 || lats[n] < -89.9; // where the data is cut
      const skip = !i || (cut(j) && cut(i - 1));
      if (skip || !down) coast.moveTo(...points[j]);
      else coast.lineTo(...points[j]);
      down = true;
    }
  }
  return { fill, coast };
}

function polygon(points) {
  const path = new Path2D();
  points.forEach((p, i) => (i ? path.lineTo(...p) : path.moveTo(...p)));
  path.closePath();
  return path;
}

/** Even-odd in longitude and latitude. */
function holds(lats, lons, [lat, lon]) {
  let inside = false;
  for (let i = 0, j = lats.length - 1; i < lats.length; j = i++) {
    if (lats[i] > lat === lats[j] > lat) continue;
    const crossing = lons[i] + ((lat - lats[i]) / (lats[j] - lats[i])) * (lons[j] - lons[i]);
    if (lon < crossing) inside = !inside;
  }
  return inside;
}

function areaShape(item, index, projection) {
  const path = new Path2D();
  const edge = [];
  for (const ring of item.rings) {
    const [lats, lons] = ring.map((text) => unpack(text, 100000));
    const points = [];
    for (let i = 0; i < lats.length; i++) {
      const j = (i + 1) % lats.length;
      const dLat = lats[j] - lats[i];
      const dLon = j ? lons[j] - lons[i] : wrap(lons[j] - lons[i]);
      const steps = Math.ceil(Math.max(Math.abs(dLat), Math.abs(dLon)) / 0.25) || 1;
      for (let s = 0; s < steps; s++)
        points.push(projection.forward(lats[i] + (dLat * s) / steps, lons[i] + (dLon * s) / steps));
    }
    path.addPath(polygon(points));
    edge.push(...points);
  }
  return { ...item, path, edge, color: item.color || HUES[index % HUES.length] };
}

function pathShape(item, projection) {
  const t = unpack(item.t);
  const lats = unpack(item.lat, 100000);
  const lons = unpack(item.lon, 100000);
  const unknown = (v) => (v === UNKNOWN ? null : v);
  const known = (text, step) => text && Array.from(unpack(text), (v) => unknown(v) && v * step);
  const kinds = new Array(Math.max(0, t.length - 1));
  item.runs.forEach(([from, kind], i) => {
    const end = i + 1 < item.runs.length ? item.runs[i + 1][0] : kinds.length;
    kinds.fill(LINES[kind] ? kind : "outside", from, end);
  });
  const points = Array.from(lats, (lat, i) => projection.forward(lat, lons[i]));
  const shape = { ...item, t, lats, lons, kinds, points, alt: known(item.alt, 25), gs: known(item.gs, 1) };
  shape.legs = kinds.map((_, i) => leg(shape, i, projection));
  shape.band = item.band ? bandShape(shape, unpack(item.band, 1), projection) : null;
  return shape;
}

const UNKNOWN = -(2 ** 20);

/** The points of a leg, along the great circle. */
function leg(shape, i, projection) {
  const { lats, lons, points } = shape;
  const [lat1, lon1, lat2, lon2] = [lats[i], lons[i], lats[i + 1], lons[i + 1]];
  const steps = Math.ceil(Math.max(Math.abs(lat2 - lat1), Math.abs(wrap(lon2 - lon1))) / 0.5) || 1;
  const out = [points[i]];
  for (let s = 1; s < steps; s++) out.push(projection.forward(...between(lat1, lon1, lat2, lon2, s / steps)));
  out.push(points[i + 1]);
  return out;
}

/** The ground within some distance (m) of a path: a disc about each point, joined along the legs. */
function bandShape(shape, widths, projection) {
  const path = new Path2D();
  const { lats, lons } = shape;
  const disc = (i) =>
    Array.from({ length: 48 }, (_, n) =>
      projection.forward(...reached(lats[i], lons[i], (n * Math.PI) / 24, widths[i] / 1000 / EARTH_KM)),
    );
  for (let i = 0; i < lats.length; i++) {
    path.addPath(polygon(disc(i)));
    if (i + 1 === lats.length) break;
    const ahead = bearing(lats[i], lons[i], lats[i + 1], lons[i + 1]);
    const side = (n, angle) =>
      projection.forward(...reached(lats[n], lons[n], ahead + angle, widths[n] / 1000 / EARTH_KM));
    const right = Math.PI / 2;
    path.addPath(polygon([side(i, -right), side(i + 1, -right), side(i + 1, right), side(i, right)]));
  }
  return path;
}

function reachShape(item, projection) {
  const km = (item.speed_mps * (item.to.t - item.from.t)) / 1e6;
  const points = ellipse(item.from.lat, item.from.lon, item.to.lat, item.to.lon, km);
  return { ...item, path: points && polygon(points.map((p) => projection.forward(...p))) };
}

/** Where a path is at a time: {lat, lon, leg, share} or null outside its time. */
function pathAt(shape, ms) {
  const { t, lats, lons } = shape;
  if (!t.length || ms < t[0] || ms > t[t.length - 1]) return null;
  let low = 0;
  let high = t.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (t[middle] <= ms) low = middle;
    else high = middle;
  }
  if (high === 0) return { lat: lats[0], lon: lons[0], leg: 0, share: 0 };
  const share = t[high] > t[low] ? (ms - t[low]) / (t[high] - t[low]) : 0;
  const [lat, lon] = between(lats[low], lons[low], lats[high], lons[high], share);
  return { lat, lon, leg: low, share };
}
