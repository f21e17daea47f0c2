// Bytes from the printable text that assembly/encode.mjs writes.

/**
 * The text begins with 64 hexadecimal digits, one bit a byte value: is it long? Then each byte is one character, or a
 * prefix (" " or "!") and one. Values of either kind have the alphabet's characters in ascending order.
 */
export function decode(text: string): Uint8Array<ArrayBuffer> {
  const alphabet: number[] = [];
  for (let code = 34; code < 127; code++) if (!"\"'`\\$".includes(String.fromCharCode(code))) alphabet.push(code);
  const n = alphabet.length;
  const values = new Uint8Array(3 * 128); // [prefix, character]: 0 for none, 1 for " ", 2 for "!"
  let short = 0;
  let long = 0;
  for (let value = 0; value < 256; value++) {
    const isLong = (Number.parseInt(text[value >> 2]!, 16) >> (value & 3)) & 1;
    if (isLong) values[(1 + Math.floor(long / n)) * 128 + alphabet[long++ % n]!] = value;
    else values[alphabet[short++]!] = value;
  }
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 64; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 34) code = (code - 31) * 128 + text.charCodeAt(++i);
    bytes[length++] = values[code]!;
  }
  return bytes.subarray(0, length);
}
