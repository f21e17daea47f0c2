// Threads: starts and ends the team. Loaded on demand; a program of one thread holds none of this.
import type { Protocol } from "../generated/kernels.js";
import { kernels, memory, replaceKernels, startKernels } from "../launch.js";
import type { AllKernels } from "./rule.js";
import { type Block, SharedTeam, tuning } from "./team.js";
import { giveWay, newWorker, processors, type TeamWorker, threadRefusal } from "./workers.js";
import { shareWork } from "./wrap.js";

export { processors, threadRefusal, tuning };

/** Milliseconds that workers may take to load. */
const startMs = 10_000;

/** What the memory of the library does for a team. */
export interface Host {
  /** Memory for the team, from the heap. */
  allocate(bytes: number): Block;
  /** Told when the heap has moved. */
  moved(): void;
  /** Told when the team has ended by itself. */
  lost(reason: string): void;
}

interface Running {
  readonly team: SharedTeam;
  readonly workers: readonly TeamWorker[];
}
let running: Running | null = null;

/** Threads that compute. */
export const threads = (): number => running?.team.threads ?? 1;

/** The workers that run now; for tests. */
export const workersOf = (): readonly TeamWorker[] => running?.workers ?? [];

/** A worker whose script runs, and which waits for its module. */
function loaded(): Promise<TeamWorker> {
  return new Promise((done, fail) => {
    const worker = newWorker();
    worker.listen(
      () => done(worker),
      (reason) => fail(new Error(reason)),
    );
  });
}

/** The promise, or a rejection after `startMs`. */
function inTime<T>(promise: Promise<T>): Promise<T> {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`they did not answer in ${startMs} ms`)), startMs);
    promise.then(done, fail).finally(() => clearTimeout(timer));
  });
}

/**
 * Runs `module`, a build that shares memory, on `count` threads of which this is one. A running team ends. When workers
 * cannot be had, nothing has changed and the reason is the answer; else undefined.
 */
export async function startThreads(module: WebAssembly.Module, count: number, host: Host): Promise<string | undefined> {
  let workers: TeamWorker[];
  const starting = Array.from({ length: count - 1 }, loaded);
  try {
    workers = await inTime(Promise.all(starting));
  } catch (error) {
    for (const worker of starting) worker.then((w) => w.stop()).catch(() => {});
    return `workers cannot be started: ${error instanceof Error ? error.message : String(error)}`;
  }
  // From here to the next await nothing else runs: the heap moves with all that is on it.
  stopThreads();
  try {
    startKernels(module, true);
  } catch (error) {
    for (const worker of workers) worker.stop();
    return `shared memory cannot be had: ${String(error)}`;
  }
  host.moved();
  const own = kernels as AllKernels & Protocol;
  const team = new SharedTeam({ kernels: own, memory, allocate: host.allocate, now: Date.now, giveWay, lost }, count);
  const mine: Running = { team, workers };

  function lost(reason: string): void {
    if (running !== mine) return;
    stopThreads();
    host.lost(reason);
  }

  const ready = workers.map(
    (worker) =>
      new Promise<void>((done, fail) => {
        worker.listen(
          () => done(),
          (reason) => {
            fail(new Error(reason));
            lost(`a worker has ended: ${reason}`);
          },
        );
        worker.post({ module, memory, team: team.address });
      }),
  );
  try {
    await inTime(Promise.all(ready));
  } catch (error) {
    end(mine);
    return `workers cannot be started: ${error instanceof Error ? error.message : String(error)}`;
  }
  running = mine;
  replaceKernels(shareWork(team, own));
  return undefined;
}

/** One thread from now on. The heap stays shared: who asks for threads again finds it in place. */
export function stopThreads(): void {
  if (running === null) return;
  const ending = running;
  running = null;
  replaceKernels(ending.team.kernels);
  end(ending);
}

/** Sends a team home. */
function end({ team, workers }: Running): void {
  team.dismiss();
  for (const worker of workers) worker.stop();
}
