// What indexing refuses and how it says so; writes that alias, views that share memory.
import { describe, expect, test } from "vitest";
import {
  arange,
  at,
  bincount,
  gather,
  type Index,
  indexAdd,
  indexPut,
  indexSelect,
  noGrad,
  ones,
  scatter,
  scatterAdd,
  setAt,
  type Tensor,
  take,
  takeAlongDim,
  tensor,
  zeros,
} from "../../src/index.js";

const ints = (...values: number[]): Tensor => tensor(values, { dtype: "i32" });
const grid = (): Tensor => arange(6).to("f32").reshape([2, 3]);

describe("an index out of range", () => {
  const calls: [name: string, call: (index: Tensor) => unknown, message: RegExp][] = [
    [
      "indexSelect",
      (i) => indexSelect(grid(), 1, i),
      /indexSelect: index out of range: 3 is no integer from 0 to 2 \(element 1 of/,
    ],
    [
      "gather",
      (i) => gather(grid(), 1, i.reshape([1, 2])),
      /gather: index out of range: 3 .* \(element 1 of index \[1,2\]\)/,
    ],
    ["take", (i) => take(tensor([1, 2, 3]), i), /take: index out of range: 3 is no integer from -3 to 2/],
    ["takeAlongDim", (i) => takeAlongDim(grid(), i.reshape([1, 2]), 1), /index out of range: 3/],
    [
      "at",
      (i) => at(grid(), ":", i),
      /at: index out of range: 3 is no integer from -3 to 2 \(element 1 of index \[2\]\)/,
    ],
    ["scatter", (i) => scatter(grid(), 1, i.reshape([1, 2]), 5), /scatter: index out of range: 3/],
    [
      "scatter of a part",
      (i) => scatter(zeros([2, 3]), 1, i.reshape([1, 2]), ones([1, 2])),
      /scatter: index out of range: 3/,
    ],
    [
      "scatterAdd",
      (i) => scatterAdd(zeros([1, 3]), 1, i.reshape([1, 2]), ones([1, 2])),
      /scatterAdd: index out of range: 3/,
    ],
    ["indexAdd", (i) => indexAdd(grid(), 1, i, ones([2, 2])), /indexAdd: index out of range: 3/],
    ["indexPut", (i) => indexPut(grid(), [":", i], 1), /indexPut: index out of range: 3/],
  ];
  test.each(calls)("%s names it and its position", (_, call, message) => {
    expect(() => call(ints(0, 3))).toThrow(RangeError);
    expect(() => call(ints(0, 3))).toThrow(message);
    expect(() => call(tensor([0, 1.5]))).toThrow(/index out of range: 1.5 is no integer/);
    expect(() => call(tensor([0, Number.NaN]))).toThrow(/index out of range: NaN is no integer/);
    expect(() => call(tensor([true, false]))).toThrow(/bool|mask/);
  });

  test("a negative one, where PyTorch refuses it", () => {
    expect(() => indexSelect(grid(), 0, ints(-1))).toThrow(/index out of range: -1 is no integer from 0 to 1/);
    expect(() => gather(grid(), 0, ints(-1).reshape([1, 1]))).toThrow(/index out of range: -1/);
    expect(() => bincount(ints(1, -2))).toThrow(/bincount: takes integers from 0: got -2 \(element 1/);
    expect(() => bincount(tensor([1.5]))).toThrow(/bincount: takes integers from 0: got 1.5/);
  });

  test("leaves what is written in place as it was", () => {
    const x = grid();
    for (const [index, value] of [
      [[":", ints(0, 3)], 9],
      [[1, ints(0, -4)], 9],
      [[ints(0, 2), ints(0, 1)], 9],
      [[ints(2), [0, 2]], 9],
      [[5], 9],
      [[0, 0, 0], 9],
      [[0], ones([2])],
    ] as [Index[], number | Tensor][]) {
      expect(() => setAt(x, index, value)).toThrow(RangeError);
      expect(() => x.setAt(index, value, { accumulate: true })).toThrow(RangeError);
    }
    expect(x.toArray()).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(x.storage.version).toBe(0);
  });
});

describe("at", () => {
  test("refuses what is no index, by axis", () => {
    expect(() => at(grid(), 0, 0, 0)).toThrow(/3 axes are indexed: x has 2, \[2,3\]/);
    expect(() => at(grid(), 2)).toThrow(/index 2 is out of range for axis 0 of \[2,3\] \(-2 to 1\)/);
    expect(() => at(grid(), ":", -4)).toThrow(/index -4 is out of range for axis 1/);
    expect(() => at(grid(), 0.5)).toThrow(/an index must be an integer: got 0.5 \(axis 0\)/);
    expect(() => at(grid(), "...", "...")).toThrow(/"..." may come once/);
    expect(() => at(grid(), [0, 1, 0])).toThrow(/step must not be 0/);
    expect(() => at(grid(), {} as Index)).toThrow(/cannot index with a Object/);
    expect(() => at(grid(), tensor([true, false, true]))).toThrow(/a mask \[3\] does not fit axes \[2\] of \[2,3\]/);
    expect(() => at(grid(), ints(0, 1), ints(0, 1, 2))).toThrow(/do not broadcast/);
  });

  test("shares the memory of a part of the leading axis", () => {
    const x = grid();
    x.at(1).fill(7);
    x.at([0, 1]).zero();
    expect(x.toArray()).toEqual([
      [0, 0, 0],
      [7, 7, 7],
    ]);
  });
});

describe("setAt", () => {
  test("reads values that lie in x before it overwrites them", () => {
    const long = arange(20); // longer than the vectors that a copy moves at once
    long.setAt([[1, null]], long.at([0, 19]));
    expect(long.toArray()).toEqual([0, ...Array.from({ length: 19 }, (_, i) => i)]);
    const x = tensor([0, 0, 1, 2, 3]);
    x.setAt(ints(3, 0), x.at([1, 3]));
    expect(x.toArray()).toEqual([1, 0, 1, 0, 3]);
  });

  test("gives x, and takes one index without an array", () => {
    const x = zeros([2, 2]);
    expect(setAt(x, 0, 1)).toBe(x);
    expect(
      x
        .setAt(
          tensor([
            [false, true],
            [true, false],
          ]),
          5,
        )
        .toArray(),
    ).toEqual([
      [1, 5],
      [5, 0],
    ]);
  });

  test("a transposed view made before keeps the old values; views that share see the new", () => {
    const x = grid();
    const old = x.transpose(0, 1);
    const flat = x.reshape([6]);
    x.setAt([0, 0], 9);
    expect(old.at(0, 0).item()).toBe(0);
    expect(flat.at(0).item()).toBe(9);
  });

  test("raises the version: a saved tensor that changed throws in backward", () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const x = tensor([3, 4]);
    const loss = w.mul(x).sum();
    x.setAt(0, 5);
    expect(() => loss.backward()).toThrow(/changed in place/);
  });

  test("refuses what the tape would have to record", () => {
    const w = tensor([1, 2], { requiresGrad: true });
    expect(() => w.setAt(0, 5)).toThrow(/cannot be written in place while ops are recorded/);
    expect(() => setAt(zeros([2]), 0, w.sum())).toThrow(/Use indexPut\(\)/);
    noGrad(() => w.setAt(0, 5));
    expect(w.toArray()).toEqual([5, 2]);
  });

  test("refuses other dtypes, accumulated bool, unknown options", () => {
    expect(() => setAt(zeros([2]), 0, ints(1))).toThrow(/dtypes differ: x is f32, value is i32/);
    expect(() => setAt(tensor([true]), 0, true, { accumulate: true })).toThrow(/bool cannot be accumulated/);
    expect(() => setAt(zeros([2]), 0, 1, { add: true } as object)).toThrow(/unknown option "add"/);
  });
});

describe("repeated places", () => {
  test("add up in the order of the index: the same sum in every run", () => {
    // 1e8 + 1 − 1e8 is 0 in f32, 1e8 − 1e8 + 1 is 1: only the order tells.
    const index = ints(0, 0, 0);
    expect(scatterAdd(zeros([1]), 0, index, tensor([1e8, 1, -1e8])).item()).toBe(0);
    expect(scatterAdd(zeros([1]), 0, index, tensor([1e8, -1e8, 1])).item()).toBe(1);
    expect(indexPut(zeros([1]), index, tensor([1e8, 1, -1e8]), { accumulate: true }).item()).toBe(0);
    expect(indexAdd(zeros([1]), 0, index, tensor([1e8, -1e8, 1])).item()).toBe(1);
  });

  test("the last value stays, and takes the gradient", () => {
    for (const write of [
      (x: Tensor, i: Tensor, v: Tensor) => scatter(x, 0, i, v),
      (x: Tensor, i: Tensor, v: Tensor) => indexPut(x, i, v),
    ]) {
      const x = tensor([1, 2], { requiresGrad: true });
      const v = tensor([3, 4, 5], { requiresGrad: true });
      const y = write(x, ints(0, 1, 0), v);
      expect(y.toArray()).toEqual([5, 4]);
      y.backward(tensor([10, 20]));
      expect([x.grad!.toArray(), v.grad!.toArray()]).toEqual([
        [0, 0],
        [0, 20, 10],
      ]);
    }
  });
});
