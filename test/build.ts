// What the tests run on: GRADINE_BUILD is the build of the kernels ("strict" without it), GRADINE_THREADS the number of
// threads, which then share whatever can be divided, however little it is. vitest runs this file before each of tests when
// one is set. What depends on the bits of the strict build asks `strict`.
import { backend, init } from "../src/index.js";

export const build = process.env.GRADINE_BUILD ?? "strict";
/** Whether the kernels round every product and sum on its own. */
export const strict = build === "strict";
export const threads = Number(process.env.GRADINE_THREADS ?? 1);

if (!strict) {
  if (build !== "fast") throw new Error(`GRADINE_BUILD is ${build}; the builds are strict and fast`);
  await init({ fast: true });
  if (backend().build !== build) throw new Error(`the ${build} build cannot run: ${backend().reason}`);
}
if (threads > 1) {
  await init({ threads });
  if (backend().threads !== threads) throw new Error(`there are no ${threads} threads: ${backend().reason}`);
  const { tuning } = await import("../src/kernels/threads/index.js");
  tuning.least = 1e-6;
}
