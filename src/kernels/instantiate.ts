// From the inlined bytes to a running module. The one file that knows @assemblyscript/loader.
import { instantiateSync } from "@assemblyscript/loader";
import type { Kernels } from "./generated/kernels.js";

/** Bytes of a text that holds two hexadecimal digits a byte. */
export function bytesFromHex(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length >> 1);
  // charCodeAt & 15 is the digit of "0".."9"; for "a".."f" (0x61..0x66) it is 1..6, and bit 6 adds the missing 9.
  const digit = (code: number) => (code & 15) + (code >> 6) * 9;
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = (digit(hex.charCodeAt(2 * i)) << 4) | digit(hex.charCodeAt(2 * i + 1));
  }
  return bytes;
}

/** Instantiates a kernel module (its bytes, or a compiled module where an engine forbids compiling) on a memory. */
export function instantiate(module: WebAssembly.Module | Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): Kernels {
  // `.instance.exports` and not the loader's own `.exports`, which wraps every function in a rest-argument closure.
  return instantiateSync(module, { env: { memory } }).instance.exports as unknown as Kernels;
}
