// Embeddings: what padding rows take no part in, and what indices and offsets are refused.
import { describe, expect, test } from "vitest";
import { embedding, embeddingBag, grad, memory, ones, scope, tensor } from "../../src/index.js";

const index = (values: number[], shape = [values.length]) => tensor(values, { dtype: "i32", shape });
const table = (rows: number, features: number) =>
  tensor(
    Float32Array.from({ length: rows * features }, (_, i) => i),
    { shape: [rows, features], requiresGrad: true },
  );

describe("embedding", () => {
  test.each([1, -3])("a padding row (%i) takes no gradient, nor gives one to its gradient", (paddingIdx) => {
    scope(() => {
      const w = table(4, 2);
      const v = tensor(
        [
          [1, 2],
          [3, 4],
          [5, 6],
          [7, 8],
        ],
        { requiresGrad: true },
      );
      const y = embedding(index([1, 3, 1, 0]), w, { paddingIdx });
      expect(y.toArray()).toEqual([
        [2, 3],
        [6, 7],
        [2, 3],
        [0, 1],
      ]);
      const [g] = grad(y, w, { gradOutputs: v, createGraph: true }) as [ReturnType<typeof table>];
      expect(g.toArray()).toEqual([
        [7, 8],
        [0, 0],
        [0, 0],
        [3, 4],
      ]);
      const [gv] = grad(g, v, { gradOutputs: ones([4, 2]) }) as [ReturnType<typeof table>];
      expect(gv.toArray()).toEqual([
        [0, 0],
        [1, 1],
        [0, 0],
        [1, 1],
      ]);
    });
  });

  test("refuses indices out of range, fractions and NaN, with their position", () => {
    scope(() => {
      const w = table(3, 2);
      const before = memory().tensors;
      expect(() => embedding(index([0, 3]), w)).toThrow(
        /embedding: index out of range: 3 .* \(element 1 of index \[2\]\)/,
      );
      expect(() => embedding(index([0, -1]), w)).toThrow(RangeError);
      expect(() => embedding(tensor([0, 1.5]), w)).toThrow(/1.5 is no integer/);
      expect(() => embedding(tensor([Number.NaN]), w)).toThrow(RangeError);
      expect(() => embedding(tensor([true]), w)).toThrow(TypeError);
      expect(() => embedding(index([0]), w, { paddingIdx: 3 })).toThrow(/paddingIdx/);
      expect(() => embedding(index([0]), tensor([1, 2]))).toThrow(/weight must be \[rows, features\]/);
      expect(() => embedding(index([0]), w, { maxNorm: 1 } as object)).toThrow(/unknown option "maxNorm"/);
      expect(memory().tensors - before).toBe(9); // the operands above: nothing else stayed
    });
  });
});

describe("embeddingBag", () => {
  test("refuses offsets that do not fit", () => {
    scope(() => {
      const w = table(3, 2);
      const words = index([0, 1, 2]);
      const call = (offsets: number[], options = {}) => embeddingBag(words, w, index(offsets), options);
      expect(() => call([1])).toThrow(/offset 1 does not fit 3 indices \(element 0/);
      expect(() => call([0, 2, 1])).toThrow(/element 2/);
      expect(() => call([0, 4])).toThrow(/offset 4/);
      expect(() => call([0, 2], { includeLastOffset: true })).toThrow(/offset 2/);
      expect(() => call([])).toThrow(/no bags/);
      expect(() => embeddingBag(words, w)).toThrow(TypeError);
      expect(() => embeddingBag(index([0], [1, 1]), w, index([0]))).toThrow(/one axis/);
      expect(() => embeddingBag(index([0, 5], [1, 2]), w)).toThrow(/out of range: 5/);
      expect(() => call([0], { mode: "mode" })).toThrow(/"mean", "sum" or "max"/);
      expect(() => call([0], { perSampleWeights: ones([3]) })).toThrow(/mode "sum"/);
    });
  });

  test("a NaN is the largest", () => {
    scope(() => {
      const w = tensor([[1], [Number.NaN], [5]]);
      expect(embeddingBag(index([0, 1, 2, 2], [2, 2]), w, { mode: "max" }).toArray()).toEqual([[Number.NaN], [5]]);
    });
  });
});
