// What shape ops refuse; what shares memory; `view` in its two meanings.
import { describe, expect, test } from "vitest";
import {
  arange,
  broadcastTo,
  chunk,
  diag,
  diagonal,
  flip,
  maskedFill,
  maskedSelect,
  meshgrid,
  movedim,
  narrow,
  nonzero,
  ones,
  pad,
  repeat,
  roll,
  split,
  stack,
  tensor,
  tile,
  tril,
  unbind,
  unflatten,
  zeros,
} from "../../src/index.js";

const x = () => zeros([2, 3]);

describe("view", () => {
  test("without a shape is the live memory, with one PyTorch's view", () => {
    const y = arange(6);
    const matrix = y.view([2, -1]);
    expect(matrix.shape).toEqual([2, 3]);
    matrix.view()[4] = 9;
    expect(y.view()[4]).toBe(9);
    expect(() => y.view([4])).toThrow(/6 elements do not fill shape \[4\]/);
  });

  test("is recorded", () => {
    const y = tensor([1, 2], { requiresGrad: true });
    y.view([2, 1]).mul(3).sum().backward();
    expect(y.grad!.toArray()).toEqual([3, 3]);
  });
});

describe("refused", () => {
  const refused: [() => unknown, RegExp][] = [
    [() => stack([]), /stack: takes an array of tensors: got \[\]/],
    [() => stack([x(), zeros([3, 2])]), /shapes differ: tensor 0 is \[2,3\], tensor 1 is \[3,2\]/],
    [
      () =>
        stack([
          x(),
          tensor(
            [
              [1, 2, 3],
              [1, 2, 3],
            ],
            { dtype: "i32" },
          ),
        ]),
      /dtypes differ: tensor 0 is f32, tensor 1 is i32/,
    ],
    [() => stack([x()], 3), /dim 3 is out of range for 3 axes/],
    [() => split(x(), [1, 1], 1), /sizes \[1,1\] add up to 2, not to 3 \(axis 1\)/],
    [() => split(x(), 0), /size must be from 1/],
    [() => split(zeros([]), 1), /the tensor has no axes/],
    [() => chunk(x(), 0), /chunks must be from 1/],
    [() => chunk(x(), 2, { axis: 1 } as object), /unknown option "axis"/],
    [() => unbind(x(), 2), /dim 2 is out of range/],
    [() => narrow(x(), 1, 2, 2), /length must be from 0 to 1: got 2/],
    [() => narrow(x(), 1, -4, 1), /start must be from -3 to 3: got -4/],
    [() => repeat(x(), [2]), /takes a number for each axis: got \[2\] for x \[2,3\]/],
    [() => tile(x(), [-1]), /sizes must be non-negative integers: got -1/],
    [() => meshgrid([x()]), /takes vectors: tensor 0 is \[2,3\]/],
    [() => meshgrid([ones([2])], { indexing: "yx" as "xy" }), /indexing must be "ij" or "xy": got "yx"/],
    [() => pad(x(), [1]), /takes two amounts an axis, from the last: got \[1\] for \[2,3\]/],
    [() => pad(x(), [1, 1, 1, 1, 1, 1]), /takes two amounts an axis/],
    [() => pad(x(), [-2, -2]), /cannot pad axis 1 of \[2,3\] by -2 and -2/],
    [() => pad(x(), [3, 0], { mode: "reflect" }), /cannot pad axis 1 of \[2,3\] by 3 and 0 \(reflect\)/],
    [() => pad(x(), [4, 0], { mode: "circular" }), /cannot pad axis 1/],
    [() => pad(zeros([0]), [1, 0], { mode: "replicate" }), /cannot pad axis 0/],
    [
      () => pad(x(), [1, 1], { mode: "mirror" as "reflect" }),
      /mode must be "constant", "reflect", "replicate" or "circular": got "mirror"/,
    ],
    [() => pad(x(), [0.5, 0]), /pad\[0\] must be an integer: got 0.5/],
    [() => roll(x(), [1, 2]), /takes one shift without dims/],
    [() => roll(x(), [1, 2], 0), /shifts \[1,2\] and dims 0 differ in length/],
    [() => flip(x(), [0, 0]), /axis 0 appears twice/],
    [() => movedim(x(), [0, 0], [1, 0]), /axes must be distinct: source is \[0,0\]/],
    [() => movedim(x(), [0, 1], 0), /differ in length/],
    [() => unflatten(x(), 1, [2, 2]), /3 elements do not fill shape \[2,2\]: axis 1 of \[2,3\]/],
    [() => broadcastTo(x(), [2, 4]), /x \[2,3\] does not stretch to \[/],
    [() => tril(ones([2])), /takes matrices: x is \[2\]/],
    [() => tril(x(), { offset: 1 } as object), /unknown option "offset"/],
    [() => diag(zeros([2, 2, 2])), /takes a vector or a matrix: x is \[2,2,2\]/],
    [() => diagonal(x(), { dim1: 0, dim2: -2 }), /dim1 and dim2 must differ/],
    [() => maskedFill(x(), ones([2, 3]), 1), /mask must be bool: got f32/],
    [() => maskedFill(x(), tensor([true, false]), 1), /do not broadcast/],
    [() => maskedFill(x(), tensor([true]), ones([2])), /value must be a number or one element: got \[2\]/],
    [() => maskedFill(x(), tensor([true]), tensor(1, { dtype: "i32" })), /dtypes differ: x is f32, value is i32/],
    [() => maskedSelect(x(), ones([2, 3])), /mask must be bool/],
    [() => nonzero(x(), { tuple: true } as object), /unknown option "tuple"/],
  ];
  test.each(refused.map(([call, message]) => [message.source, call, message] as const))("%s", (_, call, message) => {
    expect(call).toThrow(message);
  });
});
