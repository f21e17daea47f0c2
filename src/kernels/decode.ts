// A module's bytes from the text that assembly/encode.mjs made of them, and explains.

export function decode(printed: string): Uint8Array<ArrayBuffer> {
  const texts = printed.split("!");
  const places = [0, 0, 0];
  let text = 0;
  const next = () => {
    const code = texts[text]!.charCodeAt(places[text]!++);
    return code - (code > 92 ? 36 : 35);
  };
  const bytes = new Uint8Array(printed.length);
  for (let n = 0; ; n++) {
    const index = next();
    if (!(index >= 0)) return bytes.slice(0, n); // NaN: the text is at its end
    const byte = (index < 2 ? 85 + 91 * index + next() : index - 6) & 255;
    bytes[n] = byte;
    if (text === 0 && byte >= 0x20 && byte <= 0x22) text = 1;
    else text = bytes[n - 2] === 0xfd && bytes[n - 1]! <= 0x0b ? 2 : 0;
  }
}
