// The three products of a convolution: y of (x, weight), the gradient of x of (gy, weight), the gradient of the weight of
// (x, gy). Each is linear in both of its operands and the other two are its partials, so that the three are closed under
// differentiation. A transposed convolution is the second one.
import { extra, type Ptr } from "../kernels/index.js";
import { nullPtr } from "../memory/index.js";
import type { Shape } from "../shape.js";
import { record } from "../tape/index.js";
import { allocate, fillWith, ptr, type Tensor } from "../tensor/index.js";
import { sum } from "./reduce.js";
import { scratchFor } from "./scratch.js";

type Axes = readonly [depth: number, height: number, width: number];

/** One convolution: x `[batch, groups · channels, …]`, weight `[groups · filters, channels, …]`, y `[batch, groups · filters, …]`. */
export interface Convolution {
  readonly batch: number;
  readonly groups: number;
  /** Of one group. */
  readonly channels: number;
  readonly filters: number;
  readonly input: Axes;
  readonly output: Axes;
  readonly kernel: Axes;
  readonly stride: Axes;
  /** The border before the first element; that behind the last one follows from the sizes. */
  readonly padding: Axes;
  readonly dilation: Axes;
  /** Shapes of the tensors as the caller sees them: fewer axes, or no batch. */
  readonly x: Shape;
  readonly weight: Shape;
  readonly y: Shape;
}

const FORWARD = 0;
const INPUT = 1;
const WEIGHT = 2;

/** The plan of a product, at the head of the scratch memory. */
function planOf(product: number, c: Convolution): Ptr {
  const write = (at: Ptr) =>
    extra().convPlan(
      at,
      product,
      c.batch,
      c.groups,
      c.channels,
      c.filters,
      ...c.input,
      ...c.output,
      ...c.kernel,
      ...c.stride,
      ...c.padding,
      ...c.dilation,
    ) >>> 0;
  const plan = scratchFor(4096);
  const room = scratchFor(write(plan));
  if (room !== plan) write(room);
  return room;
}

function run(name: string, product: number, a: Tensor, b: Tensor, bias: Tensor | null, c: Convolution): Tensor {
  const pa = ptr(a);
  const pb = ptr(b);
  const pBias = bias === null ? nullPtr : ptr(bias);
  const shape = product === FORWARD ? c.y : product === INPUT ? c.x : c.weight;
  const plan = c.batch === 0 ? nullPtr : planOf(product, c);
  const y = allocate(shape, "f32", name);
  if (c.batch === 0) fillWith(y, 0);
  else extra().convolve(plan, pa, pb, pBias, ptr(y));
  return y;
}

/** The gradient of the bias: gy summed over all but the channels. */
function biasGradient(gy: Tensor, spatialAxes: number): Tensor {
  const channels = gy.ndim - spatialAxes - 1;
  return sum(gy, { dim: gy.shape.map((_, axis) => axis).filter((axis) => axis !== channels) });
}

type Partials = (readonly [Tensor, (gy: Tensor) => Tensor])[];

/** y(o, p) = bias(o) + Σ over c and taps t of weight(o, c, t) · x(c, p · stride − padding + t · dilation). */
export function convolve(name: string, x: Tensor, weight: Tensor, bias: Tensor | null, c: Convolution): Tensor {
  const y = run(name, FORWARD, x, weight, bias, c);
  const partials: Partials = [
    [x, (gy) => convolveBack(`${name}'s input gradient`, gy, weight, null, c)],
    [weight, (gy) => convolveWeight(`${name}'s weight gradient`, x, gy, c)],
  ];
  if (bias !== null) partials.push([bias, (gy) => biasGradient(gy, c.weight.length - 2)]);
  return record(name, y, partials, [x, weight]);
}

/** x of y: gx(c, i) = bias(c) + Σ over all products in which x(c, i) takes part of weight · gy. */
export function convolveBack(name: string, gy: Tensor, weight: Tensor, bias: Tensor | null, c: Convolution): Tensor {
  const gx = run(name, INPUT, gy, weight, bias, c);
  const partials: Partials = [
    [gy, (ggx) => convolve(`${name}'s input gradient`, ggx, weight, null, c)],
    [weight, (ggx) => convolveWeight(`${name}'s weight gradient`, ggx, gy, c)],
  ];
  if (bias !== null) partials.push([bias, (ggx) => biasGradient(ggx, c.weight.length - 2)]);
  return record(name, gx, partials, [gy, weight]);
}

function convolveWeight(name: string, x: Tensor, gy: Tensor, c: Convolution): Tensor {
  return record(
    name,
    run(name, WEIGHT, x, gy, null, c),
    [
      [x, (ggw) => convolveBack(name, gy, ggw, null, c)],
      [gy, (ggw) => convolve(name, x, ggw, null, c)],
    ],
    [x, gy],
  );
}
