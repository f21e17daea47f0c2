// What reductions, scans and sorts refuse, and the accuracy and the integers that random rows do not reach.
import { describe, expect, test } from "vitest";
import {
  amax,
  arange,
  bincount,
  cumsum,
  full,
  histc,
  logsumexp,
  mean,
  median,
  ones,
  prod,
  searchsorted,
  sort,
  sum,
  tensor,
  topk,
  unique,
  variance,
  zeros,
} from "../../src/index.js";

const ints = (values: number[]) => tensor(values, { dtype: "i32" });

describe("refused", () => {
  const x = zeros([2, 3]);
  const refused: [() => unknown, RegExp][] = [
    [() => mean(ints([1])), /mean: x must be f32: got i32/],
    [() => mean(tensor([true])), /mean: x must be f32: got bool/],
    [() => sum(x, [0, 0]), /axis 0 appears twice/],
    [() => sum(x, { axis: 0 } as object), /unknown option "axis"/],
    [() => amax(zeros([0])), /is empty/],
    [() => amax(tensor([], { dtype: "i32" })), /is empty/],
    [() => x.max([0, 1] as unknown as number), /takes one axis: got \[0,1\].*Use amax\(\)/],
    [() => variance(x, { correction: 1, unbiased: true }), /takes correction or unbiased, not both/],
    [() => variance(x, { ddof: 0 } as object), /unknown option "ddof"/],
    [() => variance(ints([1, 2])), /variance: x must be f32/],
    [() => logsumexp(ints([1, 2]), 0), /logsumexp: x must be f32/],
    [() => cumsum(x, 2), /dim 2 is out of range/],
    [() => cumsum(x, undefined as unknown as number), /dim must be an integer/],
    [() => topk(x, 4), /topk: k must be from 0 to 3: got 4/],
    [() => topk(x, 1, { biggest: true } as object), /unknown option "biggest"/],
    [() => median(zeros([0])), /is empty/],
    [() => median(zeros([2, 0]), 1), /axis 1 of \[2,0\] is empty/],
    [() => unique(x, { dim: 2 }), /dim 2 is out of range/],
    [() => searchsorted(x, ones([3, 2])), /values \[3,2\] do not fit sortedSequence \[2,3\]/],
    [() => searchsorted(x, ints([1])), /dtypes differ: sortedSequence is f32, values is i32/],
    [() => searchsorted(ones([2]), 1, { side: "middle" as "left" }), /side must be "left" or "right"/],
    [() => histc(tensor([1, Number.NaN])), /the range of the elements is not finite/],
    [() => histc(tensor([1]), { min: 2, max: 1 }), /max must be from 2/],
    [() => histc(tensor([1]), { bins: 0 }), /bins must be from 1/],
    [() => bincount(zeros([2, 2])), /takes a vector: x is \[2,2\]/],
    [() => bincount(ints([1, 2]), ones([3])), /weights must be \[2\]: got \[3\]/],
    [() => bincount(ints([1]), { minlength: -1 }), /minlength must be from 0/],
  ];
  test.each(refused.map(([call, message]) => [message.source, call, message] as const))("%s", (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe("integers", () => {
  test("are exact where f32 is not", () => {
    const big = ints([16777217, 16777216, -2147483648, 2147483647]);
    expect(big.max(0).indices.item()).toBe(3);
    expect(big.argmin().item()).toBe(2);
    expect(sort(big).values.toArray()).toEqual([-2147483648, 16777216, 16777217, 2147483647]);
    expect(sum(ints([16777217, 1])).item()).toBe(16777218);
    expect(searchsorted(ints([16777216, 16777217]), 16777217).item()).toBe(1);
  });

  test("sums and products are i32 and wrap around; any dim that is empty is all", () => {
    expect(sum(ints([2147483647, 1])).item()).toBe(-2147483648);
    expect(prod(ints([65536, 65537])).item()).toBe(65536);
    expect(sum(tensor([true, true])).dtype).toBe("i32");
    expect(sum(ones([2, 3]), []).item()).toBe(6);
  });
});

describe("accuracy", () => {
  test("a running sum of a million 0.1 ends at its f32 rounding", () => {
    const y = cumsum(full([1_000_000], 0.1), 0);
    expect(y.at(-1).item()).toBe(Math.fround(1_000_000 * Math.fround(0.1)));
  });

  test("the variance of numbers around 1e4 is that of numbers around 0", () => {
    const x = arange(1000)
      .to("f32")
      .mul(1 / 1024);
    const around0 = x.var().item();
    expect(Math.abs(x.add(8192).var().item() - around0)).toBeLessThan(1e-6 * around0);
  });
});

describe("methods", () => {
  test("var is the method of variance", () => {
    expect(tensor([1, 3]).var().item()).toBe(2);
    expect("variance" in tensor([1])).toBe(false);
  });
});
