// Tensor: shape, dtype and a handle on memory. Its op methods are derived from the op functions (ops/fluent.ts).
import { rangeError, show, typeError } from "../error.js";
import { kernels, type Ptr } from "../kernels/index.js";
import {
  adopt,
  Handle,
  heap,
  offset,
  RELEASED,
  Storage,
  TRANSPOSED,
  tick,
  WATCHED,
  watchHolder,
  word,
} from "../memory/index.js";
import { numelOf, type Shape, sameShape } from "../shape.js";
import { format } from "./print.js";

/** Element types. All take 4 bytes in the heap; a bool is an i32 that is 0 or 1. */
export type DType = "f32" | "i32" | "bool";

export type TypedArray = Float32Array | Int32Array | Uint8Array;
/** What `toArray` gives: a number (or boolean) for a 0-d tensor, nested arrays otherwise. */
export type NestedArray = number | boolean | NestedArray[];

const typedArrays = { f32: Float32Array, i32: Int32Array, bool: Uint8Array };

/** What a tensor knows of the tape; see tape/node.ts. */
export interface TapeNode {
  readonly name: string;
}

/** What the tape does for a tensor's methods; put in by tape/, which stands above this folder. */
export interface TapeHooks {
  requireGrad(tensor: Tensor, on: boolean): void;
  backward(tensor: Tensor, gradient?: Tensor, options?: BackwardOptions): void;
  detach(tensor: Tensor): Tensor;
  registerHook(tensor: Tensor, hook: (gradient: Tensor) => Tensor | undefined): () => void;
}
/** @internal */
export const tapeHooks: { current: TapeHooks | null } = { current: null };

/** Options of `backward`. */
export interface BackwardOptions {
  /** Keep the graph for another walk; default: the value of `createGraph`. */
  readonly retainGraph?: boolean;
  /** Record the walk itself, so that gradients can be differentiated again; default false. */
  readonly createGraph?: boolean;
}

/**
 * An n-dimensional array in linear memory, contiguous, row-major.
 *
 * Made by creation functions (`tensor`, `zeros`, …) and ops. Memory is given back by scopes, loops and the tape; nothing
 * needs to be freed in a normal loop (see the README). PyTorch equivalent: `torch.Tensor`.
 *
 * @example
 * import { tensor } from "gradine";
 * const x = tensor([[1, 2], [3, 4]], { requiresGrad: true });
 * x.mul(x).sum().backward();
 * console.log(x.grad.toArray()); // [[2, 4], [6, 8]]
 */
export class Tensor extends Handle {
  declare readonly dtype: DType;
  /** @internal */
  declare node: TapeNode | null;
  /** @internal The gradient of a leaf; public as `grad`. */
  declare gradient: Tensor | null;
  /** @internal Computed from tensors that require gradients, but not recorded. */
  declare derived: boolean;

  /** @internal Use creation functions. */
  constructor(shape: Shape, numel: number, dtype: DType, storage: Storage, address: Ptr, op: string) {
    super(shape, numel, storage, address, op);
    this.dtype = dtype;
    this.node = null;
    this.gradient = null;
    this.derived = false;
  }

  /** Number of axes. */
  get ndim(): number {
    return this.shape.length;
  }

  /** Whether ops on this tensor are recorded. On a leaf (a tensor no op made) it can be set. */
  get requiresGrad(): boolean {
    return this.node !== null;
  }
  set requiresGrad(on: boolean) {
    tape().requireGrad(this, on);
  }

  /** The gradient that `backward()` accumulated into this leaf; null before. It is released with its tensor or by `zeroGrad`. */
  get grad(): Tensor | null {
    return this.gradient;
  }
  set grad(gradient: Tensor | null) {
    if (gradient !== null) checkTensor("grad", "a gradient", gradient);
    if (gradient !== null && gradient.dtype !== "f32")
      throw typeError("grad", `a gradient must be f32: got ${gradient.dtype}`);
    if (gradient !== null && !sameShape(gradient.shape, this.shape)) {
      throw rangeError(
        "grad",
        `a gradient has its tensor's shape: got ${show(gradient.shape)} for ${show(this.shape)}`,
      );
    }
    if (this.gradient !== null && this.gradient !== gradient)
      this.gradient.release("when its tensor got another gradient");
    if (gradient !== null) gradient.owner = null;
    this.gradient = gradient;
  }

  /** Whether the memory was given back. A one-element tensor can be read all the same. */
  get released(): boolean {
    return (this.state & RELEASED) !== 0;
  }

  /** The value of a one-element tensor as a number (a bool as 0 or 1). @throws RangeError for more elements. */
  item(): number {
    if (this.numel !== 1)
      throw rangeError("item", `the tensor has ${this.numel} elements: shape is ${show(this.shape)}`, "Use toArray().");
    if ((this.state & RELEASED) !== 0) return this.dtype === "f32" ? floatOf(this.kept) : this.kept;
    const index = word(ptr(this));
    return this.dtype === "f32" ? heap.f32[index]! : heap.i32[index]!;
  }

  /**
   * Without a shape: a live window on the tensor's memory (shared memory with `init({ threads })`). It goes stale when any
   * tensor is made: the heap may grow and move. With a shape: the same values in another shape, as `reshape` (PyTorch's `view`).
   */
  view(): Float32Array | Int32Array;
  view(shape: Shape): Tensor;
  view(shape?: Shape): Float32Array | Int32Array | Tensor {
    if (shape !== undefined) return this.reshape(shape);
    const at = word(ptr(this));
    const source = this.dtype === "f32" ? heap.f32 : heap.i32;
    return source.subarray(at, at + this.numel);
  }

  /** A copy of the values: Float32Array, Int32Array, or Uint8Array for bool. */
  toTypedArray(): TypedArray {
    // `new` and not `slice`: a copy must never be of shared memory.
    return new typedArrays[this.dtype](this.released && this.numel === 1 ? [this.item()] : this.view());
  }

  /** The values as nested arrays; a plain number for a 0-d tensor, booleans for dtype bool. */
  toArray(): NestedArray {
    const flat = this.toTypedArray();
    let next = 0;
    const build = (axis: number): NestedArray => {
      if (axis === this.ndim) return this.dtype === "bool" ? flat[next++] === 1 : flat[next++]!;
      return Array.from({ length: this.shape[axis]! }, () => build(axis + 1));
    };
    return build(0);
  }

  /**
   * Gradients of this tensor with respect to all leaves that require one, added to their `grad`.
   *
   * @param gradient Cotangent of this tensor's shape; may be left out for one element (then 1).
   * @throws RangeError for a missing cotangent; Error when the graph was walked before or a saved tensor was changed in place.
   */
  backward(gradient?: Tensor, options?: BackwardOptions): void {
    tape().backward(this, gradient, options);
  }

  /** The same values, cut off from the tape; shares the memory. Carries on to the next iteration of a loop that reads it. */
  detach(): Tensor {
    return tape().detach(this);
  }

  /** Calls `hook` with this tensor's gradient in every backward walk; what it returns replaces it. Gives a function that removes the hook. */
  registerHook(hook: (gradient: Tensor) => Tensor | undefined): () => void {
    return tape().registerHook(this, hook);
  }

  /** @internal */
  override release(cause: string): void {
    super.release(cause);
    if (this.node === null) return;
    // A loss that is held for its value must not hold its graph's nodes.
    this.node = null;
    this.derived = true;
  }

  /** Gives the memory back now. Never needed in a normal loop. */
  dispose(): void {
    this.grad = null;
    this.release("by dispose()");
  }

  /** @internal Gives a lazily transposed tensor memory of its own, in the order of its shape. */
  layOut(): void {
    if ((this.state & TRANSPOSED) === 0) return;
    const rank = this.shape.length;
    const rows = this.shape[rank - 2]!;
    const columns = this.shape[rank - 1]!;
    const size = rows * columns;
    const batch = size === 0 ? 0 : this.numel / size;
    const storage = Storage.take(this.numel * 4, this.op, this.shape);
    kernels.copyStrided(this.address, storage.ptr, 1, batch, rows, columns, 0, size, 1, rows, 0, size, columns, 1);
    this.storage.drop();
    this.storage = storage;
    this.address = storage.ptr;
    this.state &= ~TRANSPOSED;
    if (this.collected) watchHolder(this); // it must find this memory, not the memory shared before
  }

  /** The values as PyTorch prints them. */
  override toString(): string {
    return format(this);
  }
}

// `using x = …` where the engine has it; a computed method would throw at import in those that do not.
if (typeof Symbol.dispose === "symbol") {
  Object.defineProperty(Tensor.prototype, Symbol.dispose, {
    value(this: Tensor) {
      this.dispose();
    },
    configurable: true,
    writable: true,
  });
}
export interface Tensor {
  [Symbol.dispose](): void;
}

function tape(): TapeHooks {
  return tapeHooks.current!;
}

const bits = new Int32Array(1);
const bitsAsFloat = new Float32Array(bits.buffer);
function floatOf(pattern: number): number {
  bits[0] = pattern;
  return bitsAsFloat[0]!;
}

/** @internal Address of a tensor's values. Refuses released tensors, lays out a transposed one, notes reads of watched ones. */
export function ptr(x: Tensor): Ptr {
  if (x.state !== 0) prepare(x, false);
  return x.address;
}

/** @internal As `ptr`, for a reader that takes a transposed matrix as it lies (`isTransposed` tells). */
export function ptrAsStored(x: Tensor): Ptr {
  if (x.state !== 0) prepare(x, true);
  return x.address;
}

/** @internal Whether the last two axes lie swapped in memory. */
export const isTransposed = (x: Tensor): boolean => (x.state & TRANSPOSED) !== 0;

function prepare(x: Tensor, asStored: boolean): void {
  if ((x.state & RELEASED) !== 0) {
    x.revive();
    if (x.owner === null) adopt(x);
  }
  if ((x.state & WATCHED) !== 0) {
    x.lastRead = tick.now;
    x.lastGeneration = tick.generation;
  }
  if ((x.state & TRANSPOSED) !== 0 && !asStored) x.layOut();
}

/** @internal A tensor with memory of its own, contents undefined, owned by the current scope. */
export function allocate(shape: Shape, dtype: DType, op: string): Tensor {
  const numel = numelOf(shape);
  const storage = Storage.take(numel * 4, op, shape);
  const tensor = new Tensor(shape, numel, dtype, storage, storage.ptr, op);
  adopt(tensor);
  return tensor;
}

/** @internal A tensor of another shape on the memory of `x`, from element `start`. */
export function viewOf(x: Tensor, shape: Shape, op: string, start = 0): Tensor {
  const at = ptr(x);
  x.storage.refs++;
  const address = start === 0 ? at : offset(at, 4 * start);
  const tensor = new Tensor(shape, numelOf(shape), x.dtype, x.storage, address, op);
  adopt(tensor);
  return tensor;
}

/**
 * @internal The transpose of the last two axes, without a copy: it shares the memory until something other than a
 * matrix product reads it, or the memory is written in place.
 */
export function transposedView(x: Tensor, op: string): Tensor {
  const shape = x.shape.slice();
  const rank = shape.length;
  shape[rank - 1] = x.shape[rank - 2]!;
  shape[rank - 2] = x.shape[rank - 1]!;
  const at = ptrAsStored(x);
  x.storage.refs++;
  const y = new Tensor(shape, x.numel, x.dtype, x.storage, at, op);
  if ((x.state & TRANSPOSED) === 0) {
    y.state |= TRANSPOSED;
    x.storage.addLazyView(y);
  }
  adopt(y);
  return y;
}

/** @internal Throws unless every tensor is a Tensor of the library's one copy. */
export function checkTensor(op: string, name: string, value: unknown): asserts value is Tensor {
  if (value instanceof Tensor) return;
  const foreign = typeof value === "object" && value !== null && "storage" in value && "dtype" in value;
  throw typeError(
    op,
    `${name} must be a tensor: got ${foreign ? "a tensor of another copy of gradine" : typeof value}`,
    foreign ? "Two copies of the library were bundled; each has a memory of its own." : "Make one with tensor().",
  );
}
