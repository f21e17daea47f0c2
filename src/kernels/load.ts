// The builds of the kernels that are files of their own: whether the engine runs them, and how they get here.

import { describe, setupError } from "../error.js";

/** Where a file lies; a `URL` fits. */
export type Address = string | { readonly href: string };

/** A build that is a file of its own. */
type BuildFile = "fast" | "threads" | "fast-threads";

// Written out, so that bundlers see the files and place them. build.mjs puts in where they lie in dist/.
const addresses: Record<BuildFile, () => { readonly href: string }> = {
  fast: () => new URL("./generated/fast.wasm", import.meta.url),
  threads: () => new URL("./generated/threads.wasm", import.meta.url),
  "fast-threads": () => new URL("./generated/fast-threads.wasm", import.meta.url),
};

/** A module whose only function is `f32x4.relaxed_madd` of three vectors of zeros. */
// biome-ignore format: header; a function without parameters that gives a vector; its code
const relaxedProbe = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0,
  1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0,
  65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11,
]);

/** Why the engine cannot run the fast build, or undefined. */
export function fastRefusal(): string | undefined {
  return WebAssembly.validate(relaxedProbe) ? undefined : "this engine has no relaxed SIMD";
}

/** Node, Deno and Bun read files; `fetch` of a file is not everywhere. */
async function read(url: string): Promise<Uint8Array<ArrayBuffer>> {
  type Process = { getBuiltinModule?(name: string): { readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> } };
  const { process } = globalThis as { readonly process?: Process };
  if (url.startsWith("file:") && process?.getBuiltinModule !== undefined) {
    return process.getBuiltinModule("node:fs/promises").readFile(new URL(url));
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Fetches and compiles a build, from where it lies in the package or from `address`. */
export async function loadBuild(build: BuildFile, address?: Address): Promise<WebAssembly.Module> {
  let url = `${build}.wasm`;
  try {
    // An address as a program writes it, "/gradine/fast.wasm", is relative to its page.
    const base = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
    url = (
      address === undefined ? addresses[build]() : new URL(typeof address === "string" ? address : address.href, base)
    ).href;
    return await WebAssembly.compile(await read(url));
  } catch (cause) {
    throw setupError(
      "init",
      `the ${build} kernels cannot be loaded from ${describe(url)}: ${String(cause)}`,
      build === "fast"
        ? "Pass where your bundler or server put gradine's fast.wasm as { fast: url }, or the compiled file as { module }."
        : "It must lie where the bundler or server expects it, beside gradine's other files.",
      cause,
    );
  }
}
