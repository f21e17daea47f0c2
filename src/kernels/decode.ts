// A module's bytes from the text that assembly/encode.mjs made of them, and explains.

export function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  const places = [0, text.indexOf("!") + 1];
  const index = (local: number) => {
    const code = text.charCodeAt(places[local]!++);
    return code - (code > 92 ? 36 : 35);
  };
  let local = 0;
  for (let n = 0; ; n++) {
    const first = index(local);
    if (!(first >= 0)) return bytes.slice(0, n); // the "!", or the end
    const byte = first < 2 ? (85 + 91 * first + index(local)) & 255 : (first - 6) & 255;
    bytes[n] = byte;
    local = local === 0 && byte >= 0x20 && byte <= 0x22 ? 1 : 0;
  }
}
