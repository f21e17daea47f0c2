// The team on the host's side: writes jobs to shared memory, takes part in them, and sees that none lasts forever.
import { setupError } from "../../error.js";
import type { Protocol } from "../generated/kernels.js";
import { signatures } from "../generated/signatures.js";
import type { AllKernels, Team } from "./rule.js";

/** Bytes of the control block, and of a call (assembly/team.ts has the layout). */
const controlBytes = 192;
const callBytes = 256;
const failedAt = 132;
const jobAt = 136;
/** Looks at the others' progress before the host looks at the clock: some 200 microseconds. */
const looks = 500_000;

/** A block of the heap. */
export interface Block {
  readonly ptr: unknown;
  drop(): void;
}

/** What a team needs of the library. */
export interface Surroundings {
  readonly kernels: AllKernels & Protocol;
  /** The shared memory, which may grow. */
  readonly memory: WebAssembly.Memory;
  allocate(bytes: number): Block;
  /** Milliseconds on any clock. */
  now(): number;
  /** Lets other threads have this one's processor, where that is allowed. */
  giveWay(): void;
  /** Told when the team cannot go on. */
  lost(reason: string): void;
}

export interface Tuning {
  /** Nanoseconds of work that a part should have at least. */
  least: number;
  /** Milliseconds, beside many times this thread's own share, after which a call that a worker has begun is given up. */
  patience: number;
}

/** Publishing a job and joining it costs about a microsecond; a worker that sleeps comes 30 later. */
export const tuning: Tuning = { least: 5000, patience: 10_000 };

export class SharedTeam implements Team {
  readonly kernels: AllKernels & Protocol;
  readonly threads: number;
  /** Address of the control block. */
  readonly address: number;
  private readonly surroundings: Surroundings;
  private readonly control: Block;
  private readonly most: number;
  private scratch: Block | null = null;
  private scratchBytes = 0;
  private calls = 0;
  private dismissed = false;
  /** In a job; for ever when that could not be ended. */
  private busy = false;
  private buffer: ArrayBufferLike | null = null;
  private u32 = new Uint32Array(0);
  private i32 = new Int32Array(0);
  private f32 = new Float32Array(0);
  private f64 = new Float64Array(0);

  constructor(surroundings: Surroundings, threads: number) {
    this.surroundings = surroundings;
    this.kernels = surroundings.kernels;
    this.threads = threads;
    this.most = 2 * threads; // no rule makes more calls than two a thread
    this.control = surroundings.allocate(controlBytes + callBytes * this.most);
    this.address = Number(this.control.ptr);
    const words = this.words();
    words.fill(0, this.address >>> 2, (this.address + controlBytes) >>> 2);
    words[(this.address + jobAt) >>> 2] = this.address + controlBytes;
  }

  parts(ns: number): number {
    return ns < 2 * tuning.least || this.dismissed ? 1 : Math.min(this.threads, Math.floor(ns / tuning.least));
  }

  words(): Uint32Array {
    const { buffer } = this.surroundings.memory;
    if (buffer !== this.buffer) {
      this.buffer = buffer;
      this.u32 = new Uint32Array(buffer);
      this.i32 = new Int32Array(buffer);
      this.f32 = new Float32Array(buffer);
      // The heap may end, for a moment of its growth, anywhere; views of 8 bytes want whole ones.
      this.f64 = new Float64Array(buffer, 0, buffer.byteLength >>> 3);
    }
    return this.u32;
  }

  add(kernel: keyof AllKernels, args: readonly number[]): number {
    const [number, types] = signatures[kernel]!;
    this.words();
    const { i32, f32, f64 } = this;
    let at = (this.address + controlBytes + callBytes * this.calls) >>> 2;
    i32[at] = number;
    for (let i = 0; i < types.length; i++) {
      at += 2;
      const type = types.charCodeAt(i);
      if (type === 105) i32[at] = args[i]!;
      else if (type === 102) f32[at] = args[i]!;
      else f64[at >>> 1] = args[i]!;
    }
    return this.calls++;
  }

  run(): void {
    const { kernels, calls } = this;
    this.calls = 0;
    this.busy = true;
    const begun = this.surroundings.now();
    try {
      if (kernels.publish(this.control.ptr as never, calls, looks) === 0) this.wait(calls, begun);
    } catch (error) {
      // A trap here: others may still be at it.
      this.surroundings.lost(String(error));
      throw error;
    }
    if (this.words()[(this.address + failedAt) >>> 2] !== 0) this.giveUp("a kernel failed in a worker");
    this.busy = false;
  }

  result(call: number): number {
    return this.i32[((this.address + controlBytes + callBytes * call) >>> 2) + 1]!;
  }

  room(bytes: number): number {
    if (bytes > this.scratchBytes) {
      const larger = this.surroundings.allocate(bytes);
      this.scratch?.drop();
      this.scratch = larger;
      this.scratchBytes = bytes;
    }
    return this.scratch === null ? 0 : Number(this.scratch.ptr);
  }

  /**
   * No parts from now on, for those who still hold kernels of this team; workers leave. The control block stays: one that
   * is late looks at it once more.
   */
  dismiss(): void {
    this.dismissed = true;
    this.kernels.dismiss(this.control.ptr as never);
    if (!this.busy) this.scratch?.drop();
    this.scratch = null;
  }

  /**
   * The calls that are left are in the hands of workers: each has taken one, and one that was killed never ends it. On a busy
   * machine they may take many times what this thread's own share took.
   */
  private wait(calls: number, begun: number): void {
    const own = this.surroundings.now() - begun;
    const limit = own + tuning.patience + 50 * own;
    while (this.kernels.join(this.control.ptr as never, calls, looks) === 0) {
      const ms = this.surroundings.now() - begun;
      if (ms > limit) this.giveUp(`a worker has not finished its part of a kernel for ${Math.round(ms)} ms`);
      this.surroundings.giveWay();
    }
  }

  private giveUp(reason: string): never {
    this.surroundings.lost(reason);
    throw setupError(
      "threads",
      `${reason}, so that what this op wrote is not whole`,
      "From now on one thread computes; init({ threads }) begins anew.",
      undefined,
    );
  }
}
