// A module's bytes from the text that assembly/encode.mjs made of them, and explains.
import { bytes as decoder } from "./generated/decode.js";
import { instantiate } from "./instantiate.js";

/** assembly/decode.ts: addresses of the three texts, and where the bytes go; gives where they end. */
interface Decoder {
  decode(code: number, locals: number, offsets: number, out: number): number;
}

/** The bytes; those of the kernels are decoded by wasm, since they are first in all that a program waits for. */
export function decode(printed: string): Uint8Array<ArrayBuffer> {
  // Not part of the language: there are contexts without it.
  if (typeof TextEncoder === "undefined") return decodePlainly(printed);
  const pages = Math.ceil((2 * printed.length) / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { decode } = instantiate<Decoder>(new Uint8Array(decoder()), memory);
  const bytes = new Uint8Array(memory.buffer);
  new TextEncoder().encodeInto(printed, bytes); // ASCII, so that places in the text are addresses
  const locals = printed.indexOf("!") + 1;
  const offsets = printed.indexOf("!", locals) + 1;
  return bytes.subarray(printed.length, decode(0, locals, offsets, printed.length));
}

/** The same in JavaScript, for where text cannot be put into memory. */
export function decodePlainly(printed: string): Uint8Array<ArrayBuffer> {
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
