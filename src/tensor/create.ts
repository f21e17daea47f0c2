// Creation functions: tensors from values, constants and random numbers.
import { checkInteger, checkNumber, checkOptions, describe, rangeError, show, typeError } from "../error.js";
import { kernels, type Ptr } from "../kernels/index.js";
import { heap, watchHolder, word } from "../memory/index.js";
import { checkShape, numelOf, type Shape } from "../shape.js";
import { defaultGenerator, Generator } from "./generator.js";
import { allocate, type DType, ptr, Tensor, tapeHooks } from "./tensor.js";

/** Options of creation functions. */
export interface CreateOptions {
  /** Element type; default: that of the data, "f32" for constants and random numbers. */
  readonly dtype?: DType;
  /** Whether ops on it are recorded; f32 only; default false. */
  readonly requiresGrad?: boolean;
}

/** Options of `tensor`. */
export interface TensorOptions extends CreateOptions {
  /** Shape of flat data; default: that of the nesting. */
  readonly shape?: Shape;
}

/** Options of random creation functions. */
export interface RandomOptions extends CreateOptions {
  /** Where the numbers are drawn from; default: the generator that `manualSeed` seeds. */
  readonly generator?: Generator;
}

/** Numbers and booleans in arrays, typed arrays or other iterables, nested to any depth. */
export type NestedData = number | boolean | ArrayBufferView | (Iterable<NestedData> & object);

/** Whatever `tensor` takes. */
export type TensorData = NestedData | Tensor;

const createOptions = ["dtype", "requiresGrad"];
const dtypes: readonly DType[] = ["f32", "i32", "bool"];

/** @internal */
export function checkDType(op: string, dtype: unknown): DType {
  if (!dtypes.includes(dtype as DType))
    throw typeError(op, `unknown dtype ${describe(dtype)}`, `Known: ${dtypes.join(", ")}.`);
  return dtype as DType;
}

/** Options of a creation call: known names, a known dtype that can carry a gradient if one is asked for. */
function check(op: string, options: CreateOptions, known: readonly string[] = createOptions): DType | undefined {
  checkOptions(op, options, known);
  const { dtype, requiresGrad } = options;
  if (dtype !== undefined) checkDType(op, dtype);
  if (requiresGrad && dtype !== undefined && dtype !== "f32") {
    throw typeError(op, `only f32 tensors can require gradients: dtype is ${dtype}`);
  }
  return dtype;
}

function finish(x: Tensor, options: CreateOptions): Tensor {
  if (x.owner === null) watchHolder(x);
  if (options.requiresGrad) tapeHooks.current!.requireGrad(x, true);
  return x;
}

/** A list as it may be nested: an array, a typed array, any other iterable but a text; undefined for a value. */
function listOf(x: unknown): ArrayLike<unknown> | undefined {
  if (Array.isArray(x) || ArrayBuffer.isView(x)) return x as unknown as ArrayLike<unknown>;
  return typeof x === "object" && x !== null && Symbol.iterator in x ? [...(x as Iterable<unknown>)] : undefined;
}

/** Shape of nested lists, read along the first elements, and their leaves in order; ragged nesting throws. */
function flatten(data: unknown): { shape: number[]; flat: unknown[] } {
  const shape: number[] = [];
  const flat: unknown[] = [];
  const walk = (level: unknown, axis: number, first: boolean): void => {
    const list = listOf(level);
    if (first && list !== undefined) shape.push(list.length);
    if (list?.length !== shape[axis]) {
      const got = list !== undefined ? `${list.length} items` : describe(level);
      const expected = axis < shape.length ? `${shape[axis]} items` : "a value";
      throw rangeError("tensor", `nested arrays are ragged: expected ${expected} on axis ${axis}, got ${got}`);
    }
    if (list === undefined) flat.push(level);
    else for (let i = 0; i < list.length; i++) walk(list[i], axis + 1, first && i === 0);
  };
  walk(data, 0, true);
  return { shape, flat };
}

/**
 * A tensor of these values: numbers give f32, booleans bool (mixed with numbers f32), typed arrays their kind (integers
 * up to 32 bits i32, floats f32).
 *
 * @param data numbers or booleans in arrays or other iterables, nested to any depth; a typed array; a tensor (copied).
 * @param options `shape` for flat data, `dtype`, `requiresGrad`.
 * @throws RangeError for ragged nesting or a shape of another size; TypeError for values that are no numbers.
 * PyTorch equivalent: `torch.tensor`.
 * @example
 * import { tensor } from "gradine";
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);          // [2,3], f32
 * const y = tensor(new Int32Array(6), { shape: [2, 3] }); // [2,3], i32
 * console.log(x.shape, y.dtype);
 */
export function tensor(data: TensorData, options: TensorOptions = {}): Tensor {
  const asked = check("tensor", options, ["shape", ...createOptions]);
  let flat: ArrayLike<unknown>;
  let shape: readonly number[];
  let natural: DType = "f32";
  if (data instanceof Tensor) {
    flat = data.toTypedArray();
    ({ shape, dtype: natural } = data);
  } else if (typeof data === "number" || typeof data === "boolean") {
    flat = [data];
    shape = [];
  } else if (ArrayBuffer.isView(data)) {
    if (data instanceof DataView || data instanceof BigInt64Array || data instanceof BigUint64Array) {
      throw typeError("tensor", `cannot take ${describe(data)}`, "Use a typed array of numbers.");
    }
    flat = data as unknown as ArrayLike<number>;
    shape = [flat.length];
    if (!(data instanceof Float32Array || data instanceof Float64Array)) natural = "i32";
  } else if (typeof data === "object" && data !== null && Symbol.iterator in data) {
    const nested = flatten(data);
    ({ flat, shape } = nested);
    if (nested.flat.length > 0 && nested.flat.every((value) => typeof value === "boolean")) natural = "bool";
  } else
    throw typeError(
      "tensor",
      `cannot take ${describe(data)}`,
      "Use numbers, nested arrays, a typed array or an iterable.",
    );

  if (options.shape !== undefined) {
    const given = checkShape("tensor", options.shape);
    if (numelOf(given) !== flat.length) {
      throw rangeError("tensor", `${flat.length} values do not fill shape ${show(given)} (${numelOf(given)} elements)`);
    }
    shape = given;
  }
  const dtype = asked ?? natural;
  if (options.requiresGrad && dtype !== "f32")
    throw typeError("tensor", `only f32 tensors can require gradients: dtype is ${dtype}`);
  if (!ArrayBuffer.isView(data)) {
    for (let i = 0; i < flat.length; i++) {
      const kind = typeof flat[i];
      if (kind !== "number" && kind !== "boolean")
        throw typeError("tensor", `values must be numbers or booleans: got ${describe(flat[i])} (element ${i})`);
    }
  }
  if (dtype === "i32") {
    for (let i = 0; i < flat.length; i++) {
      const value = Number(flat[i]);
      if (!(Math.abs(value) < 2147483648) && value !== -2147483648) {
        throw rangeError("tensor", `${value} does not fit an i32 (element ${i})`);
      }
    }
  }
  const x = allocate(shape, dtype, "tensor");
  const at = word(ptr(x));
  if (dtype === "f32") heap.f32.set(flat as ArrayLike<number>, at);
  else if (dtype === "i32") heap.i32.set(flat as ArrayLike<number>, at);
  else for (let i = 0; i < flat.length; i++) heap.i32[at + i] = Number(Number(flat[i]) !== 0); // NaN is true
  return finish(x, options);
}

/** A tensor filled with one value. PyTorch: `torch.full`. */
export function full(shape: Shape, value: number | boolean, options: CreateOptions = {}): Tensor {
  return constant("full", shape, value, options);
}

/** A tensor of zeros. PyTorch: `torch.zeros`. */
export function zeros(shape: Shape, options: CreateOptions = {}): Tensor {
  return constant("zeros", shape, 0, options);
}

/** A tensor of ones. PyTorch: `torch.ones`. */
export function ones(shape: Shape, options: CreateOptions = {}): Tensor {
  return constant("ones", shape, 1, options);
}

function constant(op: string, shape: Shape, value: number | boolean, options: CreateOptions): Tensor {
  const dtype = check(op, options) ?? (typeof value === "boolean" ? "bool" : "f32");
  if (typeof value !== "number" && typeof value !== "boolean")
    throw typeError(op, `the value must be a number: got ${describe(value)}`);
  const x = allocate(checkShape(op, shape), dtype, op);
  fillWith(x, Number(value));
  return finish(x, options);
}

/** @internal Writes one value everywhere. */
export function fillWith(x: Tensor, value: number): void {
  const at: Ptr = ptr(x);
  if (x.dtype === "f32") kernels.fill(at, value, x.numel);
  else kernels.fillInt(at, x.dtype === "bool" ? Number(value !== 0) : value, x.numel);
}

/** A tensor whose contents are undefined until written. PyTorch: `torch.empty`. */
export function empty(shape: Shape, options: CreateOptions = {}): Tensor {
  const dtype = check("empty", options) ?? "f32";
  return finish(allocate(checkShape("empty", shape), dtype, "empty"), options);
}

/** Arguments whose last may be the options: the numbers before it, and them. */
function splitLast<O extends object>(given: readonly (number | O | undefined)[]): [(number | undefined)[], O] {
  const at = given.findIndex((x) => typeof x === "object" && x !== null);
  const numbers = (at < 0 ? given : given.slice(0, at)) as (number | undefined)[];
  return [numbers, at < 0 ? ({} as O) : (given[at] as O)];
}

/**
 * Values start, start + step, … below end (above, for a negative step): `arange(end)`, `arange(start, end, step?)`, then
 * options. i32 when all three are integers. PyTorch: `torch.arange`.
 */
export function arange(
  start: number,
  end?: number | CreateOptions,
  step?: number | CreateOptions,
  options?: CreateOptions,
): Tensor {
  const [numbers, chosen] = splitLast([end, step, options]);
  const by = checkNumber("arange", "step", numbers[1] ?? 1);
  const from = numbers[0] === undefined ? 0 : checkNumber("arange", "start", start);
  const to = checkNumber("arange", "end", numbers[0] ?? start);
  if (by === 0 || (to - from) * by < 0) {
    throw rangeError("arange", `step ${by} does not lead from ${from} to ${to}`);
  }
  const integers = [from, to, by].every(Number.isInteger);
  const dtype = check("arange", chosen) ?? (integers ? "i32" : "f32");
  const n = Math.ceil((to - from) / by);
  return filled("arange", [n], dtype, chosen, (i) => from + i * by);
}

/** A tensor of values that the host computes. */
function filled(op: string, shape: Shape, dtype: DType, options: CreateOptions, at: (i: number) => number): Tensor {
  const x = allocate(shape, dtype, op);
  const view = x.view();
  for (let i = 0; i < view.length; i++) view[i] = dtype === "bool" ? Number(at(i) !== 0) : at(i);
  return finish(x, options);
}

/**
 * `steps` values from start to end, both included, equally far apart; computed from the nearer end. PyTorch:
 * `torch.linspace`.
 */
export function linspace(start: number, end: number, steps: number, options: CreateOptions = {}): Tensor {
  checkNumber("linspace", "start", start);
  checkNumber("linspace", "end", end);
  checkInteger("linspace", "steps", steps, 0);
  const dtype = check("linspace", options) ?? "f32";
  const by = steps > 1 ? (end - start) / (steps - 1) : 0;
  return filled("linspace", [steps], dtype, options, (i) =>
    2 * i < steps ? start + by * i : end - by * (steps - 1 - i),
  );
}

/** The identity matrix `[n, m]`, m = n by default: 1 on the diagonal, 0 elsewhere. PyTorch: `torch.eye`. */
export function eye(n: number, m?: number | CreateOptions, options?: CreateOptions): Tensor {
  checkInteger("eye", "n", n, 0);
  const [[columns = n], chosen] = splitLast([m, options]);
  checkInteger("eye", "m", columns, 0);
  const dtype = check("eye", chosen) ?? "f32";
  const x = allocate([n, columns], dtype, "eye");
  fillWith(x, 0);
  const view = x.view();
  for (let i = 0; i < Math.min(n, columns); i++) view[i * columns + i] = 1;
  return finish(x, chosen);
}

const randomOptions = [...createOptions, "generator"];

function drawn(
  op: string,
  shape: Shape,
  options: RandomOptions,
  dtype: DType,
  draw: (state: Ptr, y: Ptr, n: number) => void,
): Tensor {
  const asked = check(op, options, randomOptions) ?? dtype;
  if (asked !== dtype) throw typeError(op, `draws ${dtype}: dtype ${asked} was asked for`, "Convert with to().");
  const generator = options.generator ?? defaultGenerator;
  if (!(generator instanceof Generator))
    throw typeError(op, `generator must be a Generator: got ${describe(generator)}`);
  const x = allocate(checkShape(op, shape), dtype, op);
  draw(generator.ptr, ptr(x), x.numel);
  return finish(x, options);
}

/** Uniform in [0, 1), from 24 random bits each. PyTorch: `torch.rand`. */
export function rand(shape: Shape, options: RandomOptions = {}): Tensor {
  return drawn("rand", shape, options, "f32", (state, y, n) => kernels.uniform(state, y, n, 0, 1));
}

/** Standard normal (Box-Muller). PyTorch: `torch.randn`. */
export function randn(shape: Shape, options: RandomOptions = {}): Tensor {
  return drawn("randn", shape, options, "f32", (state, y, n) => kernels.normal(state, y, n, 0, 1));
}

/**
 * Integers from low to high − 1, all equally likely; i32: `randint(high, shape)` or `randint(low, high, shape)`, then
 * options. PyTorch: `torch.randint`.
 */
export function randint(high: number, shape: Shape, options?: RandomOptions): Tensor;
export function randint(low: number, high: number, shape: Shape, options?: RandomOptions): Tensor;
export function randint(a: number, b: number | Shape, c?: Shape | RandomOptions, d?: RandomOptions): Tensor {
  const short = Array.isArray(b);
  const low = checkInteger("randint", "low", short ? 0 : a, -2147483648, 2147483647);
  const high = checkInteger("randint", "high", short ? a : b, low + 1, 2147483647);
  const [shape, options] = (short ? [b, c] : [c, d]) as [Shape, RandomOptions | undefined];
  return drawn("randint", shape, options ?? {}, "i32", (state, y, n) => kernels.randint(state, y, n, low, high));
}

/** A random permutation of 0..n-1; i32. PyTorch: `torch.randperm`. */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  checkInteger("randperm", "n", n, 0);
  return drawn("randperm", [n], options, "i32", (state, y) => kernels.permutation(state, y, n));
}
