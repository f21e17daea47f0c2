// Which build of the kernels the tests run on: GRADINE_BUILD, "strict" without it. vitest runs this file before each of tests
// when it is set. What depends on the bits of the strict build asks `strict`.
import { backend, init } from "../src/index.js";

export const build = process.env.GRADINE_BUILD ?? "strict";
/** Whether the kernels round every product and sum on its own. */
export const strict = build === "strict";

if (!strict) {
  if (build !== "fast") throw new Error(`GRADINE_BUILD is ${build}; the builds are strict and fast`);
  await init({ fast: true });
  if (backend().build !== build) throw new Error(`the ${build} build cannot run: ${backend().reason}`);
}
