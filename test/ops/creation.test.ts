// Creation functions: what they take, what they make, what they refuse; and what is drawn from generators.
import { describe, expect, test } from "vitest";
import {
  arange,
  bernoulli,
  emptyLike,
  eye,
  fullLike,
  Generator,
  grad,
  gumbelSoftmax,
  linspace,
  manualSeed,
  memory,
  oneHot,
  ones,
  onesLike,
  rand,
  randint,
  randintLike,
  randLike,
  randn,
  randnLike,
  scope,
  tensor,
  zeros,
  zerosLike,
} from "../../src/index.js";

describe("tensor", () => {
  test("takes iterables, nested to any depth", () => {
    const pairs = function* () {
      for (let i = 0; i < 3; i++) yield new Set([i, i + 0.5]);
    };
    expect(tensor(pairs()).toArray()).toEqual([
      [0, 0.5],
      [1, 1.5],
      [2, 2.5],
    ]);
    expect(tensor([new Float32Array([1, 2]), [3, 4]]).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(tensor([[], []]).shape).toEqual([2, 0]);
    expect(tensor([]).shape).toEqual([0]);
  });

  test("takes the type of its values", () => {
    expect(tensor([true, false]).dtype).toBe("bool");
    expect(tensor([[true], [2]]).dtype).toBe("f32"); // one number is enough
    expect(tensor([[true], [2]]).toArray()).toEqual([[1], [2]]);
    expect(tensor(new Uint16Array([65535])).dtype).toBe("i32");
    expect(tensor(new Float64Array([0.1])).dtype).toBe("f32");
    expect(tensor([1.9, -1.9], { dtype: "i32" }).toArray()).toEqual([1, -1]);
    expect(tensor([0, Number.NaN, -2], { dtype: "bool" }).toArray()).toEqual([false, true, true]);
  });

  test("refuses ragged nesting and what is no number, and makes nothing", () => {
    const before = memory().tensors;
    expect(() => tensor([[1, 2], [3]])).toThrow(/ragged.*expected 2 items on axis 1, got 1 items/);
    expect(() => tensor([1, [2]] as never)).toThrow(/ragged.*expected a value/);
    expect(() => tensor([[1], 2] as never)).toThrow(/ragged/);
    expect(() => tensor(["1"] as never)).toThrow(TypeError);
    expect(() => tensor("12" as never)).toThrow(TypeError);
    expect(() => tensor([1, null] as never)).toThrow(TypeError);
    expect(() => tensor([3e9], { dtype: "i32" })).toThrow(/does not fit an i32 \(element 0\)/);
    expect(() => tensor([Number.NaN], { dtype: "i32" })).toThrow(RangeError);
    expect(() => tensor([1], { dtype: "bool", requiresGrad: true })).toThrow(/only f32/);
    expect(() => tensor([1, 2, 3], { shape: [2, 2] })).toThrow(/3 values do not fill shape \[2,2\]/);
    expect(memory().tensors).toBe(before);
  });
});

describe("ranges and matrices", () => {
  test("options may follow any number of arguments", () => {
    expect(arange(3, { dtype: "f32" }).dtype).toBe("f32");
    expect(arange(1, 3, { dtype: "f32" }).toArray()).toEqual([1, 2]);
    expect(arange(1, 6, 2, { requiresGrad: true, dtype: "f32" }).requiresGrad).toBe(true);
    expect(eye(2, { dtype: "i32" }).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(eye(1, 2, { dtype: "bool" }).toArray()).toEqual([[true, false]]);
    expect(linspace(0, 1, 3, { dtype: "i32" }).toArray()).toEqual([0, 0, 1]);
  });

  test("linspace ends where it is told to", () => {
    for (const steps of [2, 3, 7, 50]) {
      const x = linspace(0.1, 0.7, steps).toTypedArray();
      expect([x[0], x[steps - 1]]).toEqual([Math.fround(0.1), Math.fround(0.7)]);
    }
    expect(linspace(5, 9, 1).toArray()).toEqual([5]);
  });

  test("refuse what leads nowhere", () => {
    expect(() => arange(0, 5, -1)).toThrow(RangeError);
    expect(() => arange(0, 5, 0)).toThrow(RangeError);
    expect(() => linspace(0, Number.NaN, 2)).toThrow(RangeError);
    expect(() => linspace(0, 1, -1)).toThrow(RangeError);
    expect(() => eye(-1)).toThrow(RangeError);
    expect(() => eye(2, { size: 3 } as never)).toThrow(/unknown option "size"/);
  });
});

describe("the shape and type of another tensor", () => {
  test("are taken over", () => {
    const x = tensor([[1, 2]], { dtype: "i32" });
    expect(zerosLike(x).dtype).toBe("i32");
    expect(onesLike(x, { dtype: "bool" }).toArray()).toEqual([[true, true]]);
    expect(fullLike(x, 7).toArray()).toEqual([[7, 7]]);
    expect(emptyLike(x).shape).toEqual([1, 2]);
    expect(randintLike(x, 3, 5).toArray()).toEqual(expect.arrayContaining([expect.any(Array)]));
    expect(randLike(x, { dtype: "f32" }).shape).toEqual([1, 2]);
    expect(() => randnLike(x)).toThrow(TypeError); // no normal integers
    expect(() => zerosLike([1] as never)).toThrow(TypeError);
  });
});

describe("draws", () => {
  test("randint takes high, or low and high", () => {
    const draw = (g: Generator) => [randint(5, [400], { generator: g }), randint(-2, 3, [400], { generator: g })];
    const [a, b] = draw(new Generator(1)).map((x) => x.toTypedArray());
    expect([Math.min(...a!), Math.max(...a!)]).toEqual([0, 4]);
    expect([Math.min(...b!), Math.max(...b!)]).toEqual([-2, 2]);
    expect(() => randint(0, [2])).toThrow(RangeError);
    expect(() => randint(3, 3, [2])).toThrow(RangeError);
  });

  test("depend on the generator alone", () => {
    const x = ones([3]);
    for (const draw of [
      (g: Generator) => rand([5], { generator: g }),
      (g: Generator) => randn([5], { generator: g }),
      (g: Generator) => randnLike(x, { generator: g }),
      (g: Generator) => bernoulli(fullLike(x, 0.5), { generator: g }),
      (g: Generator) => gumbelSoftmax(x, { generator: g }),
    ]) {
      const g = new Generator(5);
      const first = draw(g).toArray();
      manualSeed(3);
      expect(draw(new Generator(5)).toArray()).toEqual(first);
      expect(draw(g).toArray()).not.toEqual(first);
    }
  });

  test("bernoulli draws with its probabilities, and has the gradient 0", () => {
    scope(() => {
      const p = tensor([0.1, 0.5, 0.9], { requiresGrad: true });
      const y = bernoulli(p.expand([20000, 3]), { generator: new Generator(2) });
      const shares = y.mean(0).toTypedArray();
      for (const [i, want] of [0.1, 0.5, 0.9].entries()) expect(Math.abs(shares[i]! - want)).toBeLessThan(0.011);
      expect(grad(y.sum(), p)[0]!.toArray()).toEqual([0, 0, 0]);
    });
    for (const bad of [-0.1, 1.1, Number.NaN]) {
      const g = new Generator(1);
      const before = g.getState();
      expect(() => bernoulli(tensor([0.5, bad]), { generator: g })).toThrow(RangeError);
      expect(g.getState()).toEqual(before); // nothing was drawn
    }
    expect(bernoulli(zeros([0, 2])).shape).toEqual([0, 2]);
  });

  test("gumbelSoftmax draws a class as often as softmax says", () => {
    scope(() => {
      const logits = tensor([0, 1, 2]).expand([20000, 3]);
      const share = gumbelSoftmax(logits, { hard: true, generator: new Generator(4) })
        .mean(0)
        .toTypedArray();
      const want = tensor([0, 1, 2]).softmax(0).toTypedArray();
      for (let i = 0; i < 3; i++) expect(Math.abs(share[i]! - want[i]!)).toBeLessThan(0.011);
    });
  });

  test("a hard draw is one-hot and has the gradient of the soft one", () => {
    scope(() => {
      const x = tensor(
        [
          [0.3, -0.2, 1],
          [2, 0, 0.5],
        ],
        { requiresGrad: true },
      );
      const v = tensor([
        [1, -2, 0.5],
        [0.3, 1, 2],
      ]);
      const soft = gumbelSoftmax(x, { tau: 0.7, generator: new Generator(6) });
      const hard = gumbelSoftmax(x, { tau: 0.7, hard: true, generator: new Generator(6) });
      expect(hard.sum(1).toArray()).toEqual([1, 1]);
      expect(hard.argmax(1).toArray()).toEqual(soft.argmax(1).toArray());
      const [want] = grad(soft, x, { gradOutputs: v });
      expect(grad(hard, x, { gradOutputs: v })[0]!.toArray()).toEqual(want!.toArray());
    });
    expect(() => gumbelSoftmax(ones([2]), { tau: 0 })).toThrow(/tau must be above 0/);
    expect(() => gumbelSoftmax(ones([2]), { generator: 3 as never })).toThrow(TypeError);
  });
});

describe("oneHot", () => {
  test("refuses what is no class, with its position, and writes nothing", () => {
    const before = memory().tensors;
    for (const [values, dtype, at] of [
      [[0, 3], "i32", 1],
      [[-1, 0], "i32", 0],
      [[0, 1.5], "f32", 1],
      [[Number.NaN], "f32", 0],
      [[0, 0, 3], "f32", 2],
    ] as const) {
      const x = tensor([...values], { dtype });
      expect(() => oneHot(x, 3)).toThrow(new RegExp(`is no class of 3 \\(element ${at}`));
      x.dispose();
    }
    expect(memory().tensors).toBe(before);
    expect(() => oneHot(tensor([true]), 2)).toThrow(TypeError);
    expect(() => oneHot(tensor([0]), 0)).toThrow(RangeError);
    expect(() => oneHot(tensor([0]), undefined as never)).toThrow(/numClasses/);
    expect(oneHot(tensor([1]), 2, { dtype: "bool" }).toArray()).toEqual([[false, true]]);
  });
});
