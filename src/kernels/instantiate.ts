// From a module to its running kernels. The one file that knows @assemblyscript/loader.
import { instantiateSync } from "@assemblyscript/loader";
import { setupError } from "../error.js";

/**
 * Instantiates kernels (the bytes, or a compiled module where an engine forbids compiling) on a memory; `core` is the
 * instance whose functions a second module imports.
 */
export function instantiate<K>(
  module: WebAssembly.Module | Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
  core?: object,
): K {
  try {
    // `.instance.exports` and not the loader's own `.exports`, which wraps every function in a rest-argument closure.
    const { instance } = instantiateSync(module, { env: { memory }, core: core as Record<string, unknown> });
    return instance.exports as K;
  } catch (cause) {
    if (!(cause instanceof WebAssembly.CompileError)) throw cause;
    const advice = "Pass the file gradine/wasm as a compiled module: init({ module }).";
    throw setupError("init", `the engine does not compile the kernels: ${cause.message}`, advice, cause);
  }
}
