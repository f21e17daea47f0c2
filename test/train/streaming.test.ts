// Streaming metrics against scikit-learn 1.2 (test/train/streaming.json), over unequal batches.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { tensor } from "../../src/index.js";
import * as train from "../../src/train/index.js";

interface Case {
  output: (number | number[])[];
  target: number[];
  want: Record<string, number>;
  matrix?: number[][];
}
const cases = JSON.parse(readFileSync(new URL("./streaming.json", import.meta.url), "utf8")) as Case[];

/** "Precision:micro" as new Precision({ average: "micro" }). */
function make(name: string): train.StreamingMetric {
  const [kind, average] = name.split(":") as [string, string?];
  const classes = train as unknown as Record<string, new (option?: unknown) => train.StreamingMetric>;
  const option =
    kind === "TopKAccuracy"
      ? 2
      : average === "binary"
        ? { threshold: 0 }
        : average === undefined
          ? undefined
          : { average };
  return new classes[kind]!(option);
}

/** Updates with batches of 1, 2, 3, … samples. */
function feed(metric: train.StreamingMetric, { output, target }: Case): void {
  for (let start = 0, size = 1; start < target.length; start += size++) {
    metric.update(tensor(output.slice(start, start + size) as number[]), tensor(target.slice(start, start + size)));
  }
}

describe.each(cases.map((c, i) => [i, c] as const))("case %d", (_, c) => {
  test.each(Object.entries(c.want))("%s", (name, want) => {
    const metric = make(name);
    feed(metric, c);
    expect(Math.abs(metric.compute() - want)).toBeLessThan(2e-6);
    // From its state, as a checkpoint holds it.
    const again = make(name);
    again.state = JSON.parse(JSON.stringify(metric.state)) as number[];
    if (!name.endsWith("binary")) expect(again.compute()).toBe(metric.compute());
    metric.reset();
    feed(metric, c);
    expect(Math.abs(metric.compute() - want)).toBeLessThan(2e-6);
  });

  if (c.matrix !== undefined)
    test("ConfusionMatrix", () => {
      const metric = new train.ConfusionMatrix();
      feed(metric, c);
      expect(metric.matrix()).toEqual(c.matrix);
      expect(metric.compute()).toBe(c.want.Accuracy);
    });
});

test("outputs with further axes count as rows; two scores rank as one", () => {
  const metric = new train.Accuracy();
  // [1, classes 2, 3]: scores of class 0, then of class 1
  metric.update(
    tensor([
      [
        [1, 2, 3],
        [3, 2, 1],
      ],
    ]),
    tensor([[1, 0, 1]], { dtype: "i32" }),
  );
  expect(metric.compute()).toBeCloseTo(2 / 3);
  const auc = new train.ROCAUC();
  auc.update(
    tensor([
      [0, 1],
      [1, 0],
      [0, 0.5],
    ]),
    tensor([1, 0, 0]),
  );
  expect(auc.compute()).toBe(1);
});

test("what cannot be measured", () => {
  expect(new train.Accuracy().compute()).toBeNaN();
  expect(new train.MSE().compute()).toBeNaN();
  expect(new train.CalibrationError().compute()).toBeNaN();
  expect(() => new train.Accuracy().update(tensor([[1, 2]]), tensor([1, 0]))).toThrow("target must be [1]");
  expect(() => new train.MAE().update(tensor([1, 2]), tensor([1]))).toThrow(
    "shapes differ: output is [2], target is [1]",
  );
  expect(() => new train.F1().update(tensor([[1, 2]]), tensor([3]))).toThrow("target[0] must be from 0 to 1");
  expect(() => new train.ROCAUC().update(tensor([[1, 2, 3]]), tensor([1]))).toThrow("takes one score a sample, or two");
  expect(() => new train.F1({ average: "weighted" as never })).toThrow('average must be "macro" or "micro"');
  expect(new train.LogLoss({ logits: false })).toBeTruthy();
});
