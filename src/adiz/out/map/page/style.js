// How things look. Colours keep apart for colour-blind readers; state is also told by width and dash.

const FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', 'DejaVu Sans', sans-serif";
const INK = "#16202a";
const MUTED = "#56636f";
const SEA = "#e8f0f5";
const LAND = "#f6f3ec";
const COAST = "#93a3ad";
const GRID = "#cbd9e2";
const HUES = ["#00696f", "#5a489c", "#806000", "#8d2a63", "#2c6b35", "#7b4a1e"];

// line classes, in the order they are drawn; `unseen`: no report says where the aircraft was
const LINES = {
  apart: { color: "", width: 0, dash: [], unseen: true, label: "" }, // the track has ended: nothing is drawn
  gap: { color: "#7d8894", width: 1.4, dash: [2, 4], unseen: true, label: "no reports (gap)" },
  possible: { color: "#7a37a8", width: 2, dash: [7, 5], unseen: true, label: "gap: possibly inside" },
  definite: { color: "#d04a02", width: 2, dash: [7, 5], unseen: true, label: "gap: inside on every path" },
  outside: { color: "#44566a", width: 2, dash: [], label: "outside" },
  inside: { color: "#d04a02", width: 3.2, dash: [], label: "inside a zone" },
  reconstructed: { color: "#1f5fa8", width: 2, dash: [10, 4, 2, 4], label: "reconstructed" },
};

const KINDS = {
  crossed: { entry: "entry, edge crossed", exit: "exit, edge crossed", shape: "circle" },
  appeared: { entry: "track begins inside", exit: "", shape: "square" },
  vanished: { entry: "", exit: "track ends inside", shape: "square" },
  reacquired: { entry: "seen again after a gap", exit: "seen again after a gap", shape: "diamond" },
  lost: { entry: "last report before a gap", exit: "last report before a gap", shape: "diamond" },
  activated: { entry: "zone comes into force", exit: "", shape: "triangle" },
  deactivated: { entry: "", exit: "zone ceases to be in force", shape: "triangle" },
};

const kindText = (kind, side) => (KINDS[kind] || {})[side] || kind || "";

const markColor = (mark) =>
  mark.form !== "stay" ? mark.color || INK : mark.quiet ? LINES.possible.color : LINES.inside.color;

/** A mark's shape about a place; filled on the way in, hollow on the way out. */
function drawMark(ctx, x, y, kind, side, color, size = 5) {
  const shape = (KINDS[kind] || {}).shape || "circle";
  ctx.beginPath();
  if (shape === "circle") ctx.arc(x, y, size, 0, 2 * Math.PI);
  else if (shape === "square") ctx.rect(x - size * 0.85, y - size * 0.85, size * 1.7, size * 1.7);
  else {
    const corners = shape === "diamond" ? 4 : 3;
    for (let i = 0; i < corners; i++) {
      const angle = (2 * Math.PI * i) / corners - Math.PI / 2;
      ctx.lineTo(x + size * 1.2 * Math.cos(angle), y + size * 1.2 * Math.sin(angle));
    }
    ctx.closePath();
  }
  ctx.lineWidth = 5;
  ctx.strokeStyle = "#fff";
  ctx.stroke();
  ctx.fillStyle = side === "entry" ? color : "#fff";
  ctx.fill();
  ctx.lineWidth = 2;
  ctx.strokeStyle = color;
  ctx.stroke();
}

/** Text with a pale rim, so that it reads on any ground. */
function drawText(ctx, text, x, y, { font, color = INK, align = "left", halo = 3 }) {
  ctx.font = font;
  ctx.textAlign = align;
  ctx.lineJoin = "round";
  ctx.lineWidth = halo;
  ctx.strokeStyle = "rgba(255,255,255,.92)";
  ctx.strokeText(text, x, y);
  ctx.fillStyle = color;
  ctx.fillText(text, x, y);
}

const clip = (text, most = 40) => (text.length > most ? text.slice(0, most - 1) + "…" : text);
