// StandardScaler against scikit-learn's formula, computed here in float64.
import { describe, expect, test } from "vitest";
import { StandardScaler } from "../../src/data/index.js";
import { manualSeed, memory, randn, scope, steps, tensor, zeros } from "../../src/index.js";

/** Columns in float64: mean, population deviation. */
function statistics(columns: readonly (readonly number[])[]) {
  return columns.map((column) => {
    const mean = column.reduce((s, v) => s + v, 0) / column.length;
    return { mean, std: Math.sqrt(column.reduce((s, v) => s + (v - mean) ** 2, 0) / column.length) };
  });
}

test("(x − mean) / std with the population's deviation, per feature", () => {
  const rows = [
    [1, -10, 0.001],
    [2, 20, 0.002],
    [4, 0, 0.004],
    [7, 5, -0.001],
  ];
  const wanted = statistics([0, 1, 2].map((j) => rows.map((row) => Math.fround(row[j]!))));
  const scaler = new StandardScaler().fit(tensor(rows));
  const [mean, std] = [scaler.mean!.toTypedArray(), scaler.std!.toTypedArray()];
  for (const [j, { mean: m, std: s }] of wanted.entries()) {
    expect(mean[j]).toBe(Math.fround(m));
    expect(std[j]! / s).toBeCloseTo(1, 6);
  }
  const z = scaler.transform(tensor(rows)).toArray() as number[][];
  for (const [i, row] of rows.entries())
    for (const [j, v] of row.entries()) expect(z[i]![j]).toBeCloseTo((v - wanted[j]!.mean) / wanted[j]!.std, 5);
  // Data it was not fitted on takes the fitted statistics.
  expect(
    (scaler.transform(tensor([[3.5, 3.75, 0.0015]])).toArray() as number[][])[0]!.map((v) => Math.abs(v) < 1e-4),
  ).toEqual([true, true, true]);
});

test("round trip, and fitTransform is fit and transform", () => {
  manualSeed(1);
  const x = randn([200, 5]).mul(30).add(7);
  const scaler = new StandardScaler();
  const z = scaler.fitTransform(x);
  expect(z.toArray()).toEqual(scaler.transform(x).toArray());
  for (const m of z.mean(0).toTypedArray()) expect(Math.abs(m)).toBeLessThan(1e-6);
  const back = [...scaler.inverseTransform(z).toTypedArray()];
  for (const [i, v] of [...x.toTypedArray()].entries()) expect(Math.abs(back[i]! - v)).toBeLessThan(1e-4);
});

describe("a feature without variance is only centred", () => {
  // 0.1 and 1/3 are no f32: their mean in float64 is not quite the value, and the variance not quite 0.
  test.each([0, 5, 0.1, 1 / 3, -12345.678, 1e-20, 1e20, 16777217])("%d everywhere", (value) => {
    for (const samples of [1, 3, 7, 1000]) {
      const x = tensor(
        new Float32Array(samples * 2).map((_, i) => (i % 2 === 0 ? value : i)),
        { shape: [samples, 2] },
      );
      const scaler = new StandardScaler().fit(x);
      expect(scaler.std!.toTypedArray()[0]).toBe(1);
      expect(scaler.mean!.toTypedArray()[0]).toBe(Math.fround(value));
      expect(scaler.transform(tensor([[value + 2, 0]])).toTypedArray()[0]).toBe(
        Math.fround(Math.fround(value + 2) - Math.fround(value)),
      );
    }
  });

  test("a small variance on a large mean is none of these", () => {
    const scaler = new StandardScaler().fit(tensor([[1000], [1000.0001220703125]]));
    expect(scaler.std!.item()).toBeCloseTo(0.00006103515625, 10);
  });
});

test("features of any shape; integer data", () => {
  const scaler = new StandardScaler().fit(tensor(new Int32Array([0, 10, 2, 30, 4, 50, 6, 70]), { shape: [2, 2, 2] }));
  expect(scaler.mean!.toArray()).toEqual([
    [2, 30],
    [4, 50],
  ]);
  expect(
    scaler
      .transform(
        tensor([
          [
            [2, 30],
            [4, 70],
          ],
        ]),
      )
      .toArray(),
  ).toEqual([
    [
      [0, 0],
      [0, 1],
    ],
  ]);
});

test("its statistics outlive the loop and scope they were made in; fitting again lets the old ones go", () => {
  const scaler = new StandardScaler();
  for (const _ of steps(2))
    scaler.fit(
      tensor([
        [1, 10],
        [3, 30],
      ]),
    );
  for (const _ of steps(2)) zeros([2]);
  expect(scaler.mean!.toArray()).toEqual([2, 20]);
  const { bytes, tensors } = memory();
  scope(() => {
    for (let i = 0; i < 10; i++)
      scaler.fitTransform(
        tensor([
          [1, 10],
          [5, 30],
        ]),
      );
  });
  expect(memory()).toMatchObject({ bytes, tensors });
  expect(scaler.std!.toArray()).toEqual([2, 10]);
});

test("saved and loaded, its own too", () => {
  const scaler = new StandardScaler().fit(
    tensor([
      [1, 10],
      [3, 30],
    ]),
  );
  const loaded = new StandardScaler();
  loaded.loadStateDict(scaler.stateDict());
  scaler.fit(tensor([[0, 0]]));
  expect(loaded.transform(tensor([[2, 40]])).toArray()).toEqual([[0, 2]]);
  loaded.loadStateDict(loaded.stateDict());
  expect(loaded.transform(tensor([[2, 40]])).toArray()).toEqual([[0, 2]]);
});

test("errors, which change nothing", () => {
  const scaler = new StandardScaler();
  expect(() => scaler.transform(zeros([1, 2]))).toThrow(/StandardScaler.transform: fit\(\) comes first/);
  expect(() => scaler.inverseTransform(zeros([1, 2]))).toThrow(/StandardScaler.inverseTransform: fit\(\) comes first/);
  expect(() => scaler.stateDict()).toThrow(/fit\(\) comes first/);
  expect(() => scaler.fit(zeros([3]))).toThrow(/StandardScaler.fit: needs samples with features: got \[3\]/);
  expect(() => scaler.fit(zeros([0, 3]))).toThrow(/got \[0,3\]/);
  expect(() => scaler.fit([[1, 2]] as never)).toThrow(/StandardScaler.fit: x must be a tensor/);
  scaler.fit(
    tensor([
      [1, 10],
      [3, 30],
    ]),
  );
  expect(() => scaler.transform(zeros([4, 3]))).toThrow(/features differ: x is \[4,3\], fitted on \[samples,2\]/);
  expect(() => scaler.loadStateDict({ mean: zeros([2]), std: zeros([3]) })).toThrow(/two tensors of one shape/);
  expect(() => scaler.loadStateDict({ mean: zeros([2]), std: zeros([2]) })).toThrow(/std must be/);
  expect(() => scaler.loadStateDict(null as never)).toThrow(/takes \{ mean, std \}/);
  expect(scaler.mean!.toArray()).toEqual([2, 20]);
});
