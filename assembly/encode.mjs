// Bytes as printable ASCII that gzips to what the bytes themselves gzip to (hex adds 9 %, base64 33 to 42 %): a byte is one
// character, the rarer bytes two. src/kernels/decode.ts reads it.

/** The characters in use: printable, and nothing that a string literal of any kind escapes. */
const alphabet = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).filter(
  (c) => !"\"'`\\$".includes(c),
);
const prefixes = 2;
const singles = alphabet.slice(prefixes);

/** 64 hexadecimal digits, one bit a byte value that takes two characters; then the bytes. */
export function encode(bytes) {
  const counts = new Array(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  const values = counts.map((_, value) => value);
  const short = new Set([...values].sort((a, b) => counts[b] - counts[a] || a - b).slice(0, singles.length));
  const long = values.filter((value) => !short.has(value));
  const code = new Map([
    ...values.filter((value) => short.has(value)).map((value, i) => [value, singles[i]]),
    ...long.map((value, i) => [value, alphabet[Math.floor(i / singles.length)] + singles[i % singles.length]]),
  ]);
  const digit = (i) => [0, 1, 2, 3].reduce((d, bit) => d | (short.has(4 * i + bit) ? 0 : 1 << bit), 0).toString(16);
  return Array.from({ length: 64 }, (_, i) => digit(i)).join("") + Array.from(bytes, (byte) => code.get(byte)).join("");
}
