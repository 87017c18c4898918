// Times: milliseconds after the scene's start in, text in UTC or a zone of the scene out.

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");
const UTC = { name: "UTC", changes: [[-Infinity, 0, "UTC"]] };
const two = (n) => String(n).padStart(2, "0");

function makeClock(time) {
  const zones = [UTC, ...time.zones];
  const dayOf = (ms) => Math.floor((time.start_ms + ms) / 86400000);
  const oneDay = dayOf(0) === dayOf(time.span_ms);

  function at(ms, zone) {
    let [, offset, name] = zone.changes[0];
    for (const change of zone.changes) if (change[0] <= ms) [, offset, name] = change;
    return { offset, name };
  }

  /** "UTC", "PDT", or "UTC+3" where the zone has no letters of its own. */
  function zoneName(ms, zone) {
    const { offset, name } = at(ms, zone);
    return /^[A-Za-z]/.test(name) ? name : offsetName(offset);
  }

  function offsetName(offset) {
    const minutes = Math.round(Math.abs(offset) / 60);
    const part = minutes % 60 ? ":" + two(minutes % 60) : "";
    return `UTC${offset < 0 ? "−" : "+"}${Math.floor(minutes / 60)}${part}`;
  }

  /** Clock time; `digits` decimals of a second. */
  function text(ms, zone = UTC, { digits = 0, date = "auto" } = {}) {
    const step = 10 ** (3 - digits);
    const rounded = Math.round((time.start_ms + ms) / step) * step;
    const day = new Date(rounded + at(ms, zone).offset * 1000);
    const clock = [day.getUTCHours(), day.getUTCMinutes(), day.getUTCSeconds()].map(two).join(":");
    const fraction = digits ? "." + String(day.getUTCMilliseconds()).padStart(3, "0").slice(0, digits) : "";
    const short = `${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]}`;
    const full = `${DAYS[day.getUTCDay()]} ${short} ${day.getUTCFullYear()}`;
    const front = date === "full" ? full + " " : date === "none" || oneDay ? "" : short + " ";
    return front + clock + fraction;
  }

  /** The same instant in every zone: ["21:59:07.8 UTC", "14:59:07.8 PDT"]. */
  const all = (ms, options) => zones.map((zone) => `${text(ms, zone, options)} ${zoneName(ms, zone)}`);

  const localDay = (ms, zone) => Math.floor((time.start_ms + ms + at(ms, zone).offset * 1000) / 86400000);
  const sameDay = (ms, zone) => localDay(ms, zone) === dayOf(ms);

  return { sameDay, zones, text, all, zoneName, at, offsetName };
}

function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const s = Math.round(seconds);
  if (s < 60) return `${seconds < 10 ? seconds.toFixed(1) : s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} min`;
}

function position(lat, lon) {
  const part = (value, plus, minus, width) => {
    const minutes = Math.round(Math.abs(value) * 600) / 10;
    const whole = String(Math.floor(minutes / 60)).padStart(width, "0");
    return `${whole}°${(minutes % 60).toFixed(1).padStart(4, "0")}′${value < 0 ? minus : plus}`;
  };
  return `${part(lat, "N", "S", 2)} ${part(wrap(lon), "E", "W", 3)}`;
}
