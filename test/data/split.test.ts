// Stratified splits and folds.
import { describe, expect, test } from "vitest";
import { kFold, TensorDataset, trainValTestSplit } from "../../src/data/index.js";
import { Generator, tensor, zeros } from "../../src/index.js";

const labels = Array.from({ length: 100 }, (_, i) => (i < 70 ? 0 : i < 95 ? 1 : 2));
const dataset = new TensorDataset(zeros([100, 1]), tensor(labels));
const counts = (indices: Int32Array) => [0, 1, 2].map((label) => indices.filter((i) => labels[i] === label).length);

describe("trainValTestSplit", () => {
  test("every sample is in one part, each part has the classes in their shares", () => {
    const parts = trainValTestSplit(dataset, { fractions: [0.6, 0.2, 0.2], stratify: labels });
    const all = [parts.train, parts.validation, parts.test].flatMap((part) => [...part.indices]);
    expect(all.sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
    expect(counts(parts.train.indices)).toEqual([42, 15, 3]);
    expect(counts(parts.validation.indices)).toEqual([14, 5, 1]);
    expect(counts(parts.test.indices)).toEqual([14, 5, 1]);
  });

  test("is drawn from the generator; labels may be a tensor", () => {
    const split = (seed: number, stratify?: (typeof dataset.tensors)[1]) => [
      ...trainValTestSplit(dataset, { generator: new Generator(seed), ...(stratify && { stratify }) }).train.indices,
    ];
    expect(split(1)).toEqual(split(1));
    expect(split(1)).not.toEqual(split(2));
    expect(split(1, dataset.tensors[1])).toEqual(split(1, dataset.tensors[1]));
    expect(split(1).length).toBe(80);
  });

  test("errors", () => {
    expect(() => trainValTestSplit(dataset, { fractions: [0.5, 0.1, 0.1] })).toThrow("must be three that add up to 1");
    expect(() => trainValTestSplit(dataset, { stratify: [1] })).toThrow("stratify has 1 labels for 100 samples");
  });
});

test("kFold: each sample validates once, and never trains with itself", () => {
  const folds = kFold(dataset, 4, { stratify: labels, generator: new Generator(0) });
  expect(folds.flatMap(({ validation }) => [...validation.indices]).sort((a, b) => a - b)).toEqual(
    labels.map((_, i) => i),
  );
  for (const { train, validation } of folds) {
    expect(train.length + validation.length).toBe(100);
    for (const i of validation.indices) expect(train.indices.includes(i)).toBe(false);
    expect(counts(validation.indices)[2]).toBeGreaterThanOrEqual(1);
  }
  expect(() => kFold(dataset, 1)).toThrow("kFold: k must be from 2 to 100: got 1");
});
