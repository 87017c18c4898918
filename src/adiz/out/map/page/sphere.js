// The map's projection and lines on the sphere. Kilometres on the map, x to the east, y down.
//
// Oblique stereographic about the centre of the view (conformal: circles stay round, headings
// true); for a map wider than about 50 degrees Lambert's azimuthal equal-area. Both know no
// antimeridian and no pole. Formulas: Snyder, USGS Professional Paper 1395, 1987, chapters 21, 24.
// Edges and crossings were computed on WGS84; only the picture is spherical.

const EARTH_KM = 6371.0088;
const RAD = Math.PI / 180;
const HORIZON = 150 * RAD; // beyond it points are drawn on the rim
const wrap = (lon) => ((((lon + 180) % 360) + 360) % 360) - 180;

function makeProjection(lat0, lon0, radiusDeg) {
  const conformal = radiusDeg <= 50;
  const sin0 = Math.sin(lat0 * RAD);
  const cos0 = Math.cos(lat0 * RAD);
  const radius = (c) => 2 * EARTH_KM * (conformal ? Math.tan(c / 2) : Math.sin(c / 2));
  const rim = radius(HORIZON);

  function forward(lat, lon) {
    const phi = lat * RAD;
    const away = (lon - lon0) * RAD;
    const sin = Math.sin(phi);
    const cos = Math.cos(phi);
    const x = cos * Math.sin(away);
    const y = cos0 * sin - sin0 * cos * Math.cos(away);
    const z = sin0 * sin + cos0 * cos * Math.cos(away);
    const flat = Math.hypot(x, y);
    const c = Math.atan2(flat, z);
    const r = c < HORIZON ? radius(c) : rim;
    return flat ? [(r * x) / flat, (-r * y) / flat] : [z > 0 ? 0 : rim, 0];
  }

  /** Latitude and longitude, or null beyond the rim. */
  function inverse(x, y) {
    const r = Math.hypot(x, y);
    if (r >= rim) return null;
    const half = r / (2 * EARTH_KM);
    const c = 2 * (conformal ? Math.atan(half) : Math.asin(half));
    const sin = Math.sin(c);
    const cos = Math.cos(c);
    if (!r) return [lat0, wrap(lon0)];
    const lat = Math.asin(Math.max(-1, Math.min(1, cos * sin0 - (y * sin * cos0) / r)));
    const lon = Math.atan2(x * sin, r * cos0 * cos + y * sin0 * sin);
    return [lat / RAD, wrap(lon0 + lon / RAD)];
  }

  const name = conformal ? "Stereographic" : "Lambert azimuthal equal-area";
  return { forward, inverse, rim, lat0, lon0, name };
}

function unit(lat, lon) {
  const cos = Math.cos(lat * RAD);
  return [cos * Math.cos(lon * RAD), cos * Math.sin(lon * RAD), Math.sin(lat * RAD)];
}

function arcBetween(a, b) {
  const cross = Math.hypot(
    a[1] * b[2] - a[2] * b[1],
    a[2] * b[0] - a[0] * b[2],
    a[0] * b[1] - a[1] * b[0],
  );
  return Math.atan2(cross, a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
}

const distanceKm = (lat1, lon1, lat2, lon2) =>
  EARTH_KM * arcBetween(unit(lat1, lon1), unit(lat2, lon2));

/** The place at a share of the way from one to another along the great circle. */
function between(lat1, lon1, lat2, lon2, share) {
  const a = unit(lat1, lon1);
  const b = unit(lat2, lon2);
  const arc = arcBetween(a, b);
  if (arc < 1e-9) return [lat1, lon1];
  const p = Math.sin((1 - share) * arc) / Math.sin(arc);
  const q = Math.sin(share * arc) / Math.sin(arc);
  const [x, y, z] = [0, 1, 2].map((i) => p * a[i] + q * b[i]);
  return [Math.atan2(z, Math.hypot(x, y)) / RAD, Math.atan2(y, x) / RAD];
}

function bearing(lat1, lon1, lat2, lon2) {
  const away = (lon2 - lon1) * RAD;
  const y = Math.sin(away) * Math.cos(lat2 * RAD);
  const x =
    Math.cos(lat1 * RAD) * Math.sin(lat2 * RAD) -
    Math.sin(lat1 * RAD) * Math.cos(lat2 * RAD) * Math.cos(away);
  return Math.atan2(y, x);
}

function reached(lat, lon, azimuth, arc) {
  const sin = Math.sin(lat * RAD) * Math.cos(arc) + Math.cos(lat * RAD) * Math.sin(arc) * Math.cos(azimuth);
  const away = Math.atan2(
    Math.sin(azimuth) * Math.sin(arc) * Math.cos(lat * RAD),
    Math.cos(arc) - Math.sin(lat * RAD) * sin,
  );
  return [Math.asin(Math.max(-1, Math.min(1, sin))) / RAD, lon + away / RAD];
}

/**
 * All places that could be visited between two: the spherical ellipse whose distances to them sum
 * to `lengthKm`. Null if the two lie farther apart.
 */
function ellipse(lat1, lon1, lat2, lon2, lengthKm, count = 120) {
  const whole = lengthKm / EARTH_KM;
  const apart = distanceKm(lat1, lon1, lat2, lon2) / EARTH_KM;
  if (whole < apart || whole > 3) return null;
  const ahead = bearing(lat1, lon1, lat2, lon2);
  const points = [];
  for (let i = 0; i < count; i++) {
    const angle = (2 * Math.PI * i) / count;
    const arc = Math.atan2(
      Math.cos(apart) - Math.cos(whole),
      Math.sin(whole) - Math.sin(apart) * Math.cos(angle),
    );
    points.push(reached(lat1, lon1, ahead + angle, arc));
  }
  return points;
}

/** Where both discs, `km1` about the first place and `km2` about the second, overlap. */
function lens(lat1, lon1, km1, lat2, lon2, km2) {
  const points = [];
  for (const [a, b, r, c, d, other] of [
    [lat1, lon1, km1, lat2, lon2, km2],
    [lat2, lon2, km2, lat1, lon1, km1],
  ]) {
    const away = bearing(a, b, c, d) + Math.PI; // begin outside, so that the part inside is whole
    for (let i = 0; i <= 240; i++) {
      const p = reached(a, b, away + (2 * Math.PI * i) / 240, r / EARTH_KM);
      if (distanceKm(...p, c, d) <= other) points.push(p);
    }
  }
  return points;
}
