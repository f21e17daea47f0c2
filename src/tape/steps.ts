// `for (const i of steps(n))`: a loop whose iterations are scopes.
import { checkInteger } from "../error.js";
import { LoopScope } from "../memory/index.js";

/**
 * Counts 0..n-1; each iteration is a scope: when it advances, all that was made in it is released, except parameters,
 * buffers, gradients, optimizer state, what `keep()` holds, and detached tensors made or read in it.
 *
 * @example
 * import { randn, steps } from "gradine";
 * for (const i of steps(1000)) randn([256, 256]).mul(2); // never more than one iteration's memory
 */
export function steps(n: number): IterableIterator<number> {
  checkInteger("steps", "n", n, 0);
  const loop = new LoopScope("steps()");
  let i = 0;
  return {
    [Symbol.iterator]() {
      return this;
    },
    next() {
      if (i < n) {
        loop.advance();
        return { done: false, value: i++ };
      }
      loop.finish();
      return { done: true, value: undefined };
    },
    return() {
      i = n;
      loop.finish();
      return { done: true, value: undefined };
    },
  };
}
