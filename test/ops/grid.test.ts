// gridSample: what it refuses, and places that are no numbers.
import { expect, test } from "vitest";
import { gridSample, memory, type Tensor, tensor, zeros } from "../../src/index.js";

test.each<[string, () => Tensor, ErrorConstructor | RangeErrorConstructor, RegExp]>([
  [
    "mode",
    () => gridSample(zeros([1, 1, 2, 2]), zeros([1, 1, 1, 2]), { mode: "cubic" as never }),
    RangeError,
    /mode.*"cubic"/,
  ],
  [
    "an option",
    () => gridSample(zeros([1, 1, 2, 2]), zeros([1, 1, 1, 2]), { padding: 1 } as never),
    TypeError,
    /unknown option "padding"/,
  ],
  ["an image", () => gridSample(zeros([1, 2, 2]), zeros([1, 1, 1, 2]), {}), RangeError, /\[1,2,2\] \(x\)/],
  ["a batch", () => gridSample(zeros([1, 1, 2, 2]), zeros([2, 1, 1, 2]), {}), RangeError, /\[2,1,1,2\] \(grid\)/],
  ["an empty image", () => gridSample(zeros([1, 1, 0, 2]), zeros([1, 1, 1, 2]), {}), RangeError, /\[1,1,0,2\] \(x\)/],
  [
    "integers",
    () => gridSample(zeros([1, 1, 2, 2], { dtype: "i32" }), zeros([1, 1, 1, 2]), {}),
    TypeError,
    /gridSample: x/,
  ],
])("refuses %s that does not fit, and makes nothing", (_, call, kind, message) => {
  expect(call).toThrow(kind);
  expect(call).toThrow(message);
});

test("a place that is NaN or infinite gives NaN or what lies outside, and reads nothing beyond the image", () => {
  const x = tensor([
    [
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ]);
  const grid = tensor([
    [
      [
        [Number.NaN, 0],
        [Number.POSITIVE_INFINITY, 0],
        [0, -1e30],
      ],
    ],
  ]);
  gridSample(x, grid, { paddingMode: "border" }).dispose(); // the first call makes lasting scratch memory
  const before = memory().tensors;
  const values = (gridSample(x, grid, { paddingMode: "border" }).toArray() as number[][][][])[0]![0]![0]!;
  expect(memory().tensors).toBe(before + 1);
  expect(values[0]).toBeNaN();
  expect(values.slice(1)).toEqual([3, 1.5]);
});

test.each(
  (["bilinear", "nearest"] as const).flatMap((mode) =>
    (["zeros", "border", "reflection"] as const).map((paddingMode) => ({ mode, paddingMode })),
  ),
)("NaN gives NaN, %j", (options) => {
  const x = tensor([
    [
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ]);
  const y = gridSample(
    x,
    tensor([
      [
        [
          [Number.NaN, 0],
          [0, Number.NaN],
          [0, 0],
        ],
      ],
    ]),
    options,
  );
  expect(Array.from(y.toTypedArray(), Number.isNaN)).toEqual([true, true, false]);
});
