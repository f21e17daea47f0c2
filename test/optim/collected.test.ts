// A dropped optimizer gives its memory back. In a file of its own, where nothing else waits for the garbage collector.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { memory, ones, steps, zeros } from "../../src/index.js";
import { Parameter } from "../../src/nn/index.js";
import { Adam } from "../../src/optim/index.js";

test("a dropped optimizer's memory is found by the garbage collector, wherever its first step was", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const before = memory().tensors;
  (() => {
    for (const _ of steps(50)) {
      const p = new Parameter(zeros([8]));
      const optimizer = new Adam([p]);
      p.grad = ones([8]);
      optimizer.step();
      optimizer.zeroGrad();
    }
  })();
  expect(memory().tensors - before).toBeGreaterThan(200); // parameter, two moments, a count, a table for each
  for (let i = 0; i < 100 && memory().tensors - before > 20; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(memory().tensors - before).toBeLessThanOrEqual(20);
});
