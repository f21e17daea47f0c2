// Random numbers are counter-based (Philox 4x32-10), so a draw depends on (seed, stream, position) and nothing else.
// A generator's state is 32 bytes in the heap: key (2 words), counter (2), stream (2), spare. Kernels advance it.
import { checkInteger } from "../error.js";
import type { Ptr } from "../kernels/index.js";
import { heap, Storage, word } from "../memory/index.js";

/** FNV-1a over a name and an index: the stream's two words. */
function streamOf(name: string, index: number): [number, number] {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  const mix = (value: number) => {
    low = Math.imul(low ^ value, 0x01000193) >>> 0;
    high = Math.imul(high ^ value ^ (low >>> 15), 0x85ebca6b) >>> 0;
  };
  for (let i = 0; i < name.length; i++) mix(name.charCodeAt(i));
  for (let i = 0; i < 4; i++) mix((index >>> (8 * i)) & 255);
  return [low, high];
}

/**
 * A stream of random numbers. Two generators of one seed draw the same numbers; streams of different names or indices
 * are independent.
 *
 * @example
 * import { Generator, randn } from "gradine";
 * const a = randn([3], { generator: new Generator(7) });
 * const b = randn([3], { generator: new Generator(7) });
 * console.log(a.toArray().join() === b.toArray().join()); // true
 */
export class Generator {
  /** The seed it was made with. */
  readonly seed: number;
  private readonly stream: readonly [number, number];
  private storage: Storage | null = null;

  /** @param seed integer from 0 to 2^53 - 1. */
  constructor(seed = 0, stream?: { readonly name: string; readonly index?: number }) {
    this.seed = checkInteger("Generator", "seed", seed, 0, Number.MAX_SAFE_INTEGER);
    this.stream = stream === undefined ? [0, 0] : streamOf(stream.name, stream.index ?? 0);
  }

  /** @internal Address of the state, for the kernels. */
  get ptr(): Ptr {
    if (this.storage === null) {
      this.storage = Storage.take(32, "Generator", [8]);
      this.setState([this.seed >>> 0, Math.floor(this.seed / 4294967296), 0, 0, ...this.stream, 0, 0]);
    }
    return this.storage.ptr;
  }

  /** The state as eight integers: what a checkpoint stores. */
  getState(): number[] {
    const at = word(this.ptr);
    return Array.from(heap.u32.subarray(at, at + 8));
  }

  /** Gives its 32 bytes back. */
  dispose(): void {
    this.storage?.drop();
    this.storage = null;
  }

  /** Goes on from a state that `getState` gave. */
  setState(state: readonly number[]): void {
    if (state.length !== 8) throw new RangeError(`Generator.setState: a state is 8 integers: got ${state.length}.`);
    const at = word(this.ptr); // first: it may allocate, which may replace the view
    heap.u32.set(state, at);
  }
}

let globalSeed = 0;
const streamCounts = new Map<string, number>();

/** @internal The generator that random ops draw from unless told otherwise. */
export let defaultGenerator = new Generator(0);

/**
 * Seeds everything random in the library: creation, initializers, dropout, shuffling. Without it the seed is 0.
 *
 * @param seed integer from 0 to 2^53 - 1. PyTorch equivalent: `torch.manual_seed`.
 */
export function manualSeed(seed: number): void {
  const generator = new Generator(seed);
  globalSeed = seed;
  streamCounts.clear();
  defaultGenerator.dispose();
  defaultGenerator = generator;
}

/** Seeds from the environment's entropy and gives the seed, so that a run can be repeated. PyTorch: `torch.seed`. */
export function seed(): number {
  const words = new Uint32Array(2);
  globalThis.crypto.getRandomValues(words);
  const value = (words[0]! & 0x1fffff) * 4294967296 + words[1]!;
  manualSeed(value);
  return value;
}

/**
 * @internal A generator of its own for a loader, a training run, …: derived from (seed, name, how many of that name
 * there were), so that two of them at once draw what they draw in turn.
 */
export function nextStream(name: string): Generator {
  const index = streamCounts.get(name) ?? 0;
  streamCounts.set(name, index + 1);
  return new Generator(globalSeed, { name, index });
}

/** @internal Runs `fn` with another default generator. */
export function withGenerator<T>(generator: Generator, fn: () => T): T {
  const before = defaultGenerator;
  defaultGenerator = generator;
  try {
    return fn();
  } finally {
    // A manualSeed within fn replaced it: then that one stays.
    if (defaultGenerator === generator) defaultGenerator = before;
  }
}

/**
 * @internal Runs `fn` as if the program had begun with `manualSeed(seed)`, and leaves the seed and its streams as they were.
 * For members of an ensemble: what each draws must not depend on how many there were before it.
 */
export function withSeed<T>(seed: number, fn: () => T): T {
  const before = { globalSeed, counts: new Map(streamCounts), defaultGenerator };
  const own = new Generator(seed);
  globalSeed = seed;
  streamCounts.clear();
  defaultGenerator = own;
  try {
    return fn();
  } finally {
    globalSeed = before.globalSeed;
    streamCounts.clear();
    for (const [name, count] of before.counts) streamCounts.set(name, count);
    defaultGenerator = before.defaultGenerator;
    own.dispose();
  }
}
