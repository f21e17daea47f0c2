// A storage is one block of the heap, shared by the tensors that view it and counted by them.
import { OutOfMemoryError, show, showBytes } from "../error.js";
import type { Ptr } from "../kernels/index.js";
import { noteCreation, noteStep } from "./growth.js";
import { allocateBlock, blockBytes, classOf, freeBlock, heap, smallLimit } from "./heap.js";

/** All storages, for `memory()` and the out-of-memory error; `slot` makes removal O(1). */
const all: Storage[] = [];
/** The first spare storage of each size class, with its block. */
const spare: (Storage | null)[] = new Array(classOf(smallLimit) + 1).fill(null);
/** How many are in use. */
let live = 0;

/** Rises with every in-place write; a storage's `version` is the time of its last one. */
let writeClock = 0;
export const writeTime = (): number => writeClock;

/** Bits of a handle's `state`; 0 is an ordinary live tensor, whose address can be read without a look at anything else. */
export const RELEASED = 1;
/** The memory holds the matrix with its last two axes swapped; laid out on the first use that minds. */
export const TRANSPOSED = 2;
/** Reads are noted in `lastRead`: what carries a tensor to the next iteration. */
export const WATCHED = 4;

/** A view that shares the storage as long as nobody minds its order. */
export interface LazyView {
  state: number;
  layOut(): void;
}

export class Storage {
  declare readonly ptr: Ptr;
  declare bytes: number;
  declare op: string;
  declare shape: readonly number[];
  /** Tensors that view it; 0 for a spare one. */
  refs = 1;
  /** Write clock at the last in-place write; 0 for none. */
  version = 0;
  /** Lazily transposed views: an in-place write lays them out first, while the old values are there. */
  private lazyViews: LazyView[] | null = null;
  declare private slot: number;
  /** The next spare storage of its class. */
  private next: Storage | null = null;

  private constructor(bytes: number, op: string, shape: readonly number[]) {
    this.op = op;
    this.shape = shape;
    this.bytes = bytes;
    const ptr = bytes <= heap.limit ? allocateBlock(bytes) : null;
    if (!ptr) throw new OutOfMemoryError(`${op} of ${show(shape)}`, bytes, usedBytes(), heap.limit, biggestOwners());
    this.ptr = ptr;
    this.slot = all.length;
    all.push(this);
    live++;
    noteCreation(this);
  }

  /**
   * A spare storage where there is one (a step of training makes none), else one with a new block. `op` and `shape` say
   * who holds it in reports. Throws OutOfMemoryError, changing nothing.
   */
  static take(bytes: number, op: string, shape: readonly number[]): Storage {
    if (bytes > smallLimit) return new Storage(bytes, op, shape);
    const kind = classOf(bytes);
    const storage = spare[kind]!;
    if (storage === null) return new Storage(bytes, op, shape);
    spare[kind] = storage.next;
    storage.bytes = bytes;
    storage.op = op;
    storage.shape = shape;
    storage.refs = 1;
    storage.version = 0;
    storage.lazyViews = null;
    live++;
    noteCreation(storage);
    return storage;
  }

  /** One view less; after the last a small storage is spare, the block of a large one is given back. */
  drop(): void {
    if (--this.refs > 0) return;
    live--;
    if (this.bytes <= smallLimit) {
      const kind = classOf(this.bytes);
      this.next = spare[kind]!;
      spare[kind] = this;
      return;
    }
    freeBlock(this.ptr, this.bytes);
    const last = all.pop()!;
    if (last !== this) {
      all[this.slot] = last;
      last.slot = this.slot;
    }
  }

  /** To be called before each in-place write. */
  written(): void {
    if (this.lazyViews !== null) {
      for (const view of this.lazyViews) view.layOut();
      this.lazyViews = null;
    }
    this.version = ++writeClock;
  }

  addLazyView(view: LazyView): void {
    this.lazyViews ??= [];
    // Views that were released or laid out meanwhile would pile up on a storage that is never written.
    if (this.lazyViews.length >= 8) this.lazyViews = this.lazyViews.filter((v) => (v.state & TRANSPOSED) !== 0);
    this.lazyViews.push(view);
  }
}

/** The end of a step: an iteration, or a consumed graph. */
export function stepEnded(): void {
  noteStep(live);
}

const inUse = (): Storage[] => all.filter((s) => s.refs > 0);

/** Bytes in blocks that are in use. */
const usedBytes = (): number => inUse().reduce((sum, s) => sum + blockBytes(s.bytes), 0);

function biggestOwners(): string[] {
  return inUse()
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 5)
    .map((s) => `${s.op} ${show(s.shape)} ${showBytes(s.bytes)}`);
}

/** What {@link memory} reports. */
export interface MemoryReport {
  /** Bytes of live tensors, as the allocator rounds them. */
  readonly bytes: number;
  /** Live tensors, views included. */
  readonly tensors: number;
  /** Bytes of linear memory taken from the engine so far; it never shrinks. */
  readonly heapBytes: number;
  /** The five biggest storages: the op that made each, its shape and size. */
  readonly biggest: readonly string[];
}

/**
 * Live tensors and bytes, and who holds the most.
 *
 * @example
 * import { memory, zeros } from "gradine";
 * const before = memory().tensors;
 * const x = zeros([256, 256]);
 * console.log(memory().tensors - before, memory().biggest[0]); // 1 zeros [256,256] 262.1 kB
 */
export function memory(): MemoryReport {
  const tensors = inUse().reduce((sum, s) => sum + s.refs, 0);
  return { bytes: usedBytes(), tensors, heapBytes: heap.f32.byteLength, biggest: biggestOwners() };
}
