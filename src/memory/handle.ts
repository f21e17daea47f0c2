// A handle is what a user holds of a storage: Tensor's base. It knows who releases it, and stays honest afterwards.
import { ReleasedTensorError } from "../error.js";
import type { Ptr } from "../kernels/index.js";
import { heap, word } from "./heap.js";
import { RELEASED, Storage } from "./storage.js";

/** Who will release a handle: a scope, a graph of the tape, or (null) whoever holds it. */
export interface Owner {
  /** What a stale handle's error says of its release: "when …". */
  readonly label: string;
}

/**
 * The times in which reads of watched handles are noted: `now` rises whenever a loop advances, `generation` whenever a
 * bare loop's consumed graph is released.
 */
export const tick = { now: 1, generation: 1 };

export abstract class Handle {
  // All fields are declared here and written by the constructor: field initializers would keep V8 from inlining the
  // constructors of subclasses, and one is made for each result of an op.
  declare readonly shape: readonly number[];
  declare readonly numel: number;
  /** @internal That of another tensor, once released. */
  declare storage: Storage;
  /** @internal Address of the first element; read it through `ptr()`, which checks `state`. */
  declare address: Ptr;
  /** @internal Name of the op that made it. */
  declare op: string;
  /** @internal */
  declare owner: Owner | null;
  /** @internal */
  declare state: number;
  /** @internal Time of the last noted read. */
  declare lastRead: number;
  /** @internal Generation of the last noted read; 0 for never. */
  declare lastGeneration: number;
  /** @internal Gradient slots of a running backward walk that hold it. */
  declare holds: number;
  /** @internal Made of a loader's batch: its loop may free it, whatever else went on meanwhile. */
  declare rooted: boolean;
  /** @internal Registered with the garbage collector. */
  declare collected: boolean;
  /** @internal Why it was released. */
  declare cause: string;
  /** @internal A one-element tensor's value, kept when it is released. */
  declare kept: number;

  /** @internal */
  constructor(shape: readonly number[], numel: number, storage: Storage, address: Ptr, op: string) {
    this.shape = shape;
    this.numel = numel;
    this.storage = storage;
    this.address = address;
    this.op = op;
    this.owner = null;
    this.state = 0;
    this.lastRead = 0;
    this.lastGeneration = 0;
    this.holds = 0;
    this.rooted = false;
    this.collected = false;
    this.cause = "";
    this.kept = 0;
  }

  /** @internal Gives the memory back; the value of a one-element tensor stays readable. Does nothing the second time. */
  release(cause: string): void {
    if ((this.state & RELEASED) !== 0) return;
    if (this.numel === 1) this.kept = heap.i32[word(this.address)]!; // the bits, whatever the dtype
    this.state = RELEASED;
    this.cause = cause;
    this.owner = null;
    this.storage.drop();
    if (this.collected) {
      collector!.unregister(this);
      this.collected = false;
    }
  }

  /** @internal A released one-element tensor gets memory again; any other throws. */
  revive(): void {
    if (this.numel !== 1) throw new ReleasedTensorError(this.op, this.shape, this.cause);
    this.storage = Storage.take(4, this.op, this.shape);
    this.address = this.storage.ptr;
    this.state = 0;
    heap.i32[word(this.address)] = this.kept;
  }
}

/**
 * Handles that belong to their holder alone give their memory back when the garbage collector finds them, where it
 * runs at all (never within synchronous code): a help, nothing relies on it.
 */
let collector: FinalizationRegistry<Storage> | null = null;

export function watchHolder(handle: Handle): void {
  if (typeof FinalizationRegistry === "undefined") return;
  collector ??= new FinalizationRegistry((storage) => storage.drop());
  if (handle.collected) collector.unregister(handle);
  collector.register(handle, handle.storage, handle);
  handle.collected = true;
}
