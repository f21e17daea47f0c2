// From the inlined bytes to a running module. The one file that knows @assemblyscript/loader.
import { instantiateSync } from "@assemblyscript/loader";
import type { Kernels } from "./generated/kernels.js";

/** The bytes of a text as assembly/emit.mjs writes it: one character for most, two for the others, the first # or $. */
export function bytesFromText(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  let n = 0;
  const indexAt = (i: number) => text.charCodeAt(i) - (text.charCodeAt(i) > 92 ? 36 : 35);
  for (let i = 0; i < text.length; i++) {
    const index = indexAt(i);
    bytes[n++] = index < 2 ? 85 + 91 * index + indexAt(++i) : index - 6;
  }
  return bytes.slice(0, n);
}

/** Instantiates a kernel module (its bytes, or a compiled module where an engine forbids compiling) on a memory. */
export function instantiate(module: WebAssembly.Module | Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): Kernels {
  // `.instance.exports` and not the loader's own `.exports`, which wraps every function in a rest-argument closure.
  return instantiateSync(module, { env: { memory } }).instance.exports as unknown as Kernels;
}
