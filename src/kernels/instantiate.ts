// From the inlined bytes to a running module. The one file that knows @assemblyscript/loader.
import { instantiateSync } from "@assemblyscript/loader";
import type { Kernels } from "./generated/kernels.js";

/** The bytes of a module as assembly/emit.mjs prints it: it says how. */
export function bytesFromText(text: string): Uint8Array<ArrayBuffer> {
  const places = [0, text.indexOf("!") + 1];
  let local = 0;
  const next = () => {
    const code = text.charCodeAt(places[local]!++);
    return code - (code > 92 ? 36 : 35);
  };
  const bytes = new Uint8Array(text.length);
  for (let n = 0; ; n++) {
    const index = next();
    if (!(index >= 0)) return bytes.slice(0, n); // the "!", or the end
    const byte = (index < 2 ? 85 + 91 * index + next() : index - 6) & 255;
    bytes[n] = byte;
    local = local === 0 && byte >= 0x20 && byte <= 0x22 ? 1 : 0;
  }
}

/** Instantiates a kernel module (its bytes, or a compiled module where an engine forbids compiling) on a memory. */
export function instantiate(module: WebAssembly.Module | Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): Kernels {
  // `.instance.exports` and not the loader's own `.exports`, which wraps every function in a rest-argument closure.
  return instantiateSync(module, { env: { memory } }).instance.exports as unknown as Kernels;
}
