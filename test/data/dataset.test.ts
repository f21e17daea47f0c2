// Datasets: rows of tensors, subsets, random splits.
import { describe, expect, test } from "vitest";
import { DataLoader, type Dataset, randomSplit, Subset, TensorDataset } from "../../src/data/index.js";
import { Generator, manualSeed, memory, scope, tensor, zeros } from "../../src/index.js";

/** A dataset of a user's own: batches of plain numbers. */
const counting = (length: number): Dataset<number[]> => ({ length, batch: (indices) => [...indices] });
const all = (d: Dataset<number[]>): number[] => d.batch(Int32Array.from({ length: d.length }, (_, i) => i));

describe("TensorDataset", () => {
  test("gathers rows of every tensor, in the order asked for, also twice; dtypes stay", () => {
    const x = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const y = tensor([7, 8, 9], { dtype: "i32" });
    const keep = tensor([true, false, true]);
    const data = new TensorDataset(x, y, keep);
    expect(data.length).toBe(3);
    const [a, b, c] = data.batch(Int32Array.of(2, 0, 2)) as [typeof x, typeof y, typeof keep];
    expect(a.toArray()).toEqual([
      [5, 6],
      [1, 2],
      [5, 6],
    ]);
    expect([b.dtype, b.toArray()]).toEqual(["i32", [9, 7, 9]]);
    expect([c.dtype, c.toArray()]).toEqual(["bool", [true, true, true]]);
    expect(data.batch(new Int32Array(0))[0]!.shape).toEqual([0, 2]);
  });

  test("holds its tensors, does not copy them; a batch is a copy", () => {
    const x = tensor([1, 2]);
    const data = new TensorDataset(x);
    const [before] = data.batch(Int32Array.of(0, 1));
    x.fill(5);
    expect(data.batch(Int32Array.of(0))[0].toArray()).toEqual([5]);
    expect(before.toArray()).toEqual([1, 2]);
    const { tensors } = memory();
    data.batch(Int32Array.of(1, 0))[0].dispose(); // outside of any loop: nothing else is left
    expect(memory().tensors).toBe(tensors);
  });

  test("says which tensor does not fit", () => {
    expect(() => new TensorDataset()).toThrow(/TensorDataset: needs at least one tensor/);
    expect(() => new TensorDataset(zeros([3]), [1, 2, 3] as never)).toThrow(
      /takes tensors: got \[1,2,3\] \(argument 1\)/,
    );
    expect(() => new TensorDataset(zeros([3, 2]), zeros([4]))).toThrow(
      /first axes differ: tensor 0 is \[3,2\], tensor 1 is \[4\]/,
    );
    expect(() => new TensorDataset(zeros([]))).toThrow(RangeError);
    expect(() => new TensorDataset(zeros([2])).batch(Int32Array.of(2))).toThrow(RangeError);
  });
});

describe("Subset", () => {
  test("is a dataset; subsets of subsets refer to the first", () => {
    const outer = new Subset(counting(10), [9, 3, 3, 0]);
    expect(outer.length).toBe(4);
    expect(all(outer)).toEqual([9, 3, 3, 0]);
    expect(all(new Subset(outer, [3, 0]))).toEqual([0, 9]);
    expect([...new DataLoader(outer, { batchSize: 3 })]).toEqual([[9, 3, 3], [0]]);
    expect(new Subset(counting(3), []).length).toBe(0);
  });

  test("refuses positions that are none", () => {
    for (const index of [3, -1, 0.5, Number.NaN, "0"]) {
      expect(() => new Subset(counting(3), [1, index as number])).toThrow(
        `Subset: index out of range: ${index} for 3 samples (position 1).`,
      );
    }
  });
});

describe("randomSplit", () => {
  const sizes = (parts: readonly { length: number }[]) => parts.map((part) => part.length);

  test.each([
    [
      [7, 3],
      [7, 3],
    ],
    [
      [10, 0],
      [10, 0],
    ],
    [
      [0.8, 0.2],
      [8, 2],
    ],
    [
      [0.75, 0.25],
      [8, 2],
    ], // 7.5 and 2.5 round down; what is left goes to the first
    [
      [1 / 3, 1 / 3, 1 / 3],
      [4, 3, 3],
    ],
    [
      [0.15, 0.35, 0.5],
      [2, 3, 5],
    ],
    [
      [0.1, 0.2, 0.7],
      [1, 2, 7],
    ],
    [[1], [10]],
    [
      [1, 0],
      [10, 0],
    ],
  ])("10 samples as %j", (lengths, expected) => {
    const parts = randomSplit(counting(10), lengths);
    expect(sizes(parts)).toEqual(expected);
    // Every sample is in exactly one part.
    expect(parts.flatMap(all).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("small and empty datasets", () => {
    expect(sizes(randomSplit(counting(1), [0.5, 0.5]))).toEqual([1, 0]);
    expect(sizes(randomSplit(counting(1), [0, 1]))).toEqual([0, 1]);
    expect(sizes(randomSplit(counting(3), [0.5, 0.5]))).toEqual([2, 1]);
    expect(sizes(randomSplit(counting(0), [0, 0]))).toEqual([0, 0]);
  });

  test("is random, by the seed or a generator", () => {
    const draw = (options?: { generator: Generator }) => randomSplit(counting(100), [100], options).flatMap(all);
    manualSeed(1);
    const first = draw();
    expect(first).not.toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(draw()).not.toEqual(first); // the next split of the same seed
    manualSeed(1);
    expect(draw()).toEqual(first);
    const mine = draw({ generator: new Generator(4) });
    manualSeed(2);
    expect(draw({ generator: new Generator(4) })).toEqual(mine);
    expect(draw()).not.toEqual(first);
  });

  test("says what does not add up", () => {
    expect(() => randomSplit(counting(10), [7, 2])).toThrow(
      /randomSplit: lengths \[7,2\] add up to 9: the dataset has 10/,
    );
    expect(() => randomSplit(counting(10), [0.5, 0.4])).toThrow(/lengths\[0\] must be an integer: got 0.5/);
    expect(() => randomSplit(counting(10), [11, -1])).toThrow(/lengths\[1\] must be .*got -1/);
    expect(() => randomSplit(counting(10), [1.5, -0.5])).toThrow(/lengths\[1\]/);
    expect(() => randomSplit(counting(10), [Number.NaN, 1])).toThrow(/lengths\[0\]/);
    expect(() => randomSplit(counting(10), [5, 5], new Generator(1) as never)).toThrow(/randomSplit: unknown option/);
    expect(() => randomSplit(counting(10), [5, 5], { seed: 1 } as never)).toThrow(/unknown option "seed"/);
    expect(() => randomSplit(counting(10), 5 as never)).toThrow(/randomSplit: .*got 5/);
  });

  test("holds no memory", () => {
    const { bytes, tensors } = memory();
    for (let i = 0; i < 20; i++) randomSplit(counting(50), [25, 25]);
    scope(() => randomSplit(counting(50), [25, 25]));
    expect(memory()).toMatchObject({ bytes, tensors });
  });
});
