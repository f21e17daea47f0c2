// Elementwise ops: result types, what they refuse, what a bare number does; gradients at kinks.
import { describe, expect, test } from "vitest";
import {
  add,
  clamp,
  type DType,
  div,
  elu,
  eq,
  gelu,
  glu,
  grad,
  hardsigmoid,
  hardtanh,
  leakyRelu,
  lerp,
  logicalAnd,
  maximum,
  maxout,
  memory,
  minimum,
  mul,
  neg,
  pow,
  prelu,
  relu,
  relu6,
  remainder,
  selu,
  softplus,
  sub,
  type Tensor,
  tensor,
  where,
} from "../../src/index.js";

const of = (dtype: DType): Tensor => tensor([1, 0, 1], { dtype });
const types = ["f32", "i32", "bool"] as const;
const higher = (a: DType, b: DType): DType => types[Math.min(types.indexOf(a), types.indexOf(b))]!;

describe("result types are PyTorch's", () => {
  test("of two tensors", () => {
    for (const a of types) {
      for (const b of types) {
        expect(add(of(a), of(b)).dtype).toBe(higher(a, b));
        expect(mul(of(a), of(b)).dtype).toBe(higher(a, b));
        expect(maximum(of(a), of(b)).dtype).toBe(higher(a, b));
        expect(where(of("bool"), of(a), of(b)).dtype).toBe(higher(a, b));
        expect(div(of(a), tensor([1, 2, 1], { dtype: b })).dtype).toBe("f32");
        expect(eq(of(a), of(b)).dtype).toBe("bool");
        expect(logicalAnd(of(a), of(b)).dtype).toBe("bool");
      }
    }
  });

  test("of a tensor and a number: its kind counts", () => {
    expect(types.map((a) => add(of(a), 2).dtype)).toEqual(["f32", "i32", "i32"]);
    expect(types.map((a) => mul(1.5, of(a)).dtype)).toEqual(["f32", "f32", "f32"]);
    expect(add(of("i32"), 3e9).dtype).toBe("f32"); // no i32 holds it
    expect(add(of("i32"), Number.NaN).dtype).toBe("f32");
    expect(where(of("bool"), 1, 2).dtype).toBe("i32");
    expect(where(of("bool"), 1, 2.5).dtype).toBe("f32");
    expect(mul(tensor([3], { dtype: "i32" }), 0.5).item()).toBe(1.5);
  });

  test("i32 arithmetic wraps around", () => {
    const x = tensor([2147483647, -2147483648], { dtype: "i32" });
    expect(add(x, 1).toArray()).toEqual([-2147483648, -2147483647]);
    expect(mul(x, 2).toArray()).toEqual([-2, 0]);
    expect(neg(x).toArray()).toEqual([-2147483647, -2147483648]);
    expect(remainder(x, -1).toArray()).toEqual([0, 0]); // the machine's own would trap
    expect(remainder(x, 2147483647).toArray()).toEqual([0, 2147483646]);
  });
});

test("calls that throw make nothing", () => {
  const [f, i, b] = [of("f32"), of("i32"), of("bool")];
  const wide = tensor([
    [1, 2],
    [3, 4],
  ]);
  const before = memory().tensors;
  const refused: readonly (readonly [() => unknown, typeof TypeError | typeof RangeError, RegExp])[] = [
    [() => add(1, 2), RangeError, /one operand must be a tensor/],
    [() => add(f, "1" as never), TypeError, /b must be a tensor/],
    [() => add(f, wide), RangeError, /do not broadcast/],
    [() => add(f, f, { alfa: 1 } as never), TypeError, /unknown option "alfa"/],
    [() => add(i, i, { alpha: 0.5 }), TypeError, /alpha must be an integer/],
    [() => sub(b, b), TypeError, /logicalXor/],
    [() => sub(1, b), TypeError, /logicalXor/],
    [() => neg(b), TypeError, /logicalNot/],
    [() => pow(i, -1), RangeError, /negative integer powers/],
    [() => remainder(i, 0), RangeError, /by 0/],
    [() => remainder(i, i), RangeError, /by 0: element 1/],
    [() => lerp(f, wide, 0.5), RangeError, /lerp: shapes/],
    [() => where(f as never, 1, 2), TypeError, /condition must be bool/],
    [() => where(b, wide, 2), RangeError, /where: shapes/],
    [() => clamp(f), RangeError, /got neither/],
    [() => clamp(f, Number.NaN), RangeError, /min is NaN/],
    [() => clamp(f, "0" as never), TypeError, /min must be a tensor/],
    [() => relu(b), TypeError, /must be f32/],
    [() => gelu(i), TypeError, /must be f32/],
    [() => gelu(f, { approximate: "erf" as never }), RangeError, /approximate must be/],
    [() => elu(f, { alpha: Number.NaN }), RangeError, /alpha/],
    [() => softplus(f, { beta: 0 }), RangeError, /beta must not be 0/],
    [() => hardtanh(f, { minVal: 1, maxVal: 0 }), RangeError, /above/],
    [() => prelu(wide, f), RangeError, /weight must be \[1\] or \[2\]/],
    [() => glu(f), RangeError, /must hold a multiple of 2/],
    [() => maxout(wide, 3), RangeError, /multiple of 3/],
  ];
  for (const [call, kind, message] of refused) {
    expect(call).toThrow(kind);
    expect(call).toThrow(message);
  }
  expect(memory().tensors).toBe(before);
});

test("derivatives at kinks are PyTorch's", () => {
  const slope = (f: (x: Tensor) => Tensor, at: number): number => {
    const x = tensor([at], { requiresGrad: true });
    return grad(f(x).sum(), x)[0]!.item();
  };
  const near = (got: number, want: number) => expect(got).toBeCloseTo(want, 5);
  near(slope(relu, 0), 0);
  near(slope(relu6, 0), 0);
  near(slope(relu6, 6), 0);
  near(
    slope((x) => leakyRelu(x, { negativeSlope: 0.2 }), 0),
    0.2,
  );
  near(
    slope((x) => prelu(x, tensor([0.3])), 0),
    0.3,
  );
  near(
    slope((x) => elu(x, { alpha: 0.7 }), 0),
    0.7,
  );
  near(slope(selu, 0), 1.0507009873554805 * 1.6732632423543772);
  near(
    slope((x) => hardtanh(x), 1),
    0,
  );
  near(
    slope((x) => clamp(x, -1, 1), 1),
    1,
  );
  near(slope(hardsigmoid, 3), 0);
  near(
    slope((x) => x.abs(), 0),
    0,
  );
  near(
    slope((x) => x.sign(), 0),
    0,
  );
  near(
    slope((x) => maximum(x, 0), 0),
    0.5,
  );
  near(
    slope((x) => minimum(x, tensor([2])), 2),
    0.5,
  );
  near(
    slope((x) => pow(x, 0), 0),
    0,
  );
  near(
    slope((x) => pow(0, x), 2),
    0,
  );
});

test("prelu keeps infinities of the positive side out of the gradient of its weight", () => {
  const w = tensor([0.25], { requiresGrad: true });
  const [dw] = grad(prelu(tensor([Number.POSITIVE_INFINITY, -2]), w).sum(), w);
  expect(dw!.item()).toBe(-2);
});
