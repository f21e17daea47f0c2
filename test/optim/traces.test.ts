// 25 steps of every optimizer against PyTorch 1.13 (test/goldens/optim/generate.py).
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { add, type NestedArray, type Tensor, tensor } from "../../src/index.js";
import { Adam, AdamW, type Optimizer, SGD } from "../../src/optim/index.js";

interface Trace {
  readonly optimizer: "SGD" | "Adam" | "AdamW";
  readonly options: Readonly<Record<string, unknown>>;
  readonly secondLr: number;
  readonly values: readonly (readonly number[])[];
  readonly state: Readonly<Record<string, readonly number[]>>;
}

interface Traces {
  readonly torch: string;
  readonly start: readonly NestedArray[];
  readonly curvature: readonly NestedArray[];
  readonly centre: readonly NestedArray[];
  readonly kept: readonly number[];
  readonly skipped: number;
  readonly steps: number;
  readonly cases: readonly Trace[];
}

const goldens = JSON.parse(
  readFileSync(new URL("../goldens/optim/traces.json", import.meta.url), "utf8"),
) as unknown as Traces;
const kinds: Record<string, new (params: never, options: never) => Optimizer<object>> = { SGD, Adam, AdamW };
const flat = (tensors: readonly Tensor[]): number[] => tensors.flatMap((x) => [...x.toTypedArray()]);

/** Within 1e-5 of the reference, relative; absolute below `floor`, since parameters and momenta pass through 0. */
function expectClose(got: readonly number[], want: readonly number[], floor: number, what: string): void {
  expect(got.length).toBe(want.length);
  for (const [i, value] of want.entries()) {
    const error = Math.abs(got[i]! - value) / Math.max(floor, Math.abs(value));
    if (!(error <= 1e-5)) expect.fail(`${what}, element ${i}: got ${got[i]}, PyTorch has ${value} (error ${error})`);
  }
}

describe("25 steps as PyTorch's", () => {
  test.each(goldens.cases.map((c) => [`${c.optimizer} ${JSON.stringify(c.options)}`, c] as const))("%s", (_, trace) => {
    const params = goldens.start.map((values) => tensor(values, { requiresGrad: true }));
    const curvature = goldens.curvature.map((values) => tensor(values));
    const centre = goldens.centre.map((values) => tensor(values));
    const groups = [{ params: [params[0]] }, { params: [params[1]], lr: trace.secondLr }];
    const optimizer = new kinds[trace.optimizer]!(groups as never, trace.options as never);
    const kept: number[][] = [];
    for (let step = 1; step <= goldens.steps; step++) {
      optimizer.zeroGrad();
      const terms = params.map((w, i) => curvature[i]!.mul(w.sub(centre[i]!).square()).sum());
      (step === goldens.skipped ? terms[0]! : add(terms[0]!, terms[1]!)).backward();
      optimizer.step();
      if (goldens.kept.includes(step)) kept.push(flat(params));
    }
    for (const [i, want] of trace.values.entries()) expectClose(kept[i]!, want, 0.1, `after step ${goldens.kept[i]}`);
    for (const [name, want] of Object.entries(trace.state)) {
      expectClose(flat(params.map((p) => optimizer.state.get(p)![name]!)), want, 1, name);
    }
    if (trace.optimizer !== "SGD") expect(params.map((p) => optimizer.state.get(p)!.step!.item())).toEqual([25, 24]);
  });
});
