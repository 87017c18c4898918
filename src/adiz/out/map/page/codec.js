// Packed numbers: see codec.py.

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const DIGIT = new Uint8Array(128);
for (let i = 0; i < LETTERS.length; i++) DIGIT[LETTERS.charCodeAt(i)] = i;

/** The numbers behind a packed text, each divided by `units`. */
function unpack(text, units = 1) {
  const out = [];
  let value = 0;
  let rest = 0;
  let weight = 1;
  for (let i = 0; i < text.length; i++) {
    const digit = DIGIT[text.charCodeAt(i)];
    rest += (digit & 31) * weight; // not by bits: times may exceed 32 of them
    weight *= 32;
    if (digit > 31) continue;
    value += rest % 2 ? -(rest + 1) / 2 : rest / 2;
    out.push(value / units);
    rest = 0;
    weight = 1;
  }
  return Float64Array.from(out);
}
