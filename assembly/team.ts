// Threads: how the calls of a job are shared out. A job is a list of calls that may run at once and in any order; `remaining`
// of them are not claimed yet. Whoever takes it down from r to r - 1 has claimed call r - 1: workers, and the thread that
// publishes the job, which takes what is left while others wake up. So a worker that is asleep, late or gone costs nothing.
//
// Control block at `team` (shared memory; fields in cache lines of their own):
//     0  remaining   -1: workers leave
//    64  done        calls that have ended
//   128  sleeping    workers that went to sleep since the last time any were woken
//   132  failed      not 0: a call trapped in a worker
//   136  address of the job: `remaining` calls of 256 bytes each
//   140  jobs        how many there were; what sleepers wait on
// A call: kernel (i32), result (i32), then the arguments, 8 bytes each.
//
// A claim needs no number of the job: what `remaining` holds when it is taken down is the job of that moment, and its
// calls stay in place until all claimed ones are done.
import { execute } from "./execute";

// @ts-ignore: decorator
@inline
const doneAt = 64, sleepingAt = 128, failedAt = 132, jobAt = 136, jobsAt = 140;
/**
 * Looks at `remaining` before a worker goes to sleep: some 150 microseconds. Between two kernels that are worth cutting a
 * training step computes small ones for up to 100, and to wake up takes 30 or, on a busy machine, several times that.
 */
// @ts-ignore: decorator
@inline
const patience = 150000;

/** Claims a call of the current job and runs it; false when none is left. */
function runOne(team: usize): bool {
  let left = atomic.load<i32>(team);
  while (left > 0) {
    const seen = atomic.cmpxchg<i32>(team, left, left - 1);
    if (seen == left) {
      const call = <usize>load<u32>(team, jobAt) + (<usize>(left - 1) << 8);
      store<i32>(call, execute(load<i32>(call), call + 8), 4);
      atomic.add<i32>(team, 1, doneAt);
      return true;
    }
    left = seen;
  }
  return false;
}

/** The life of a worker, until it is dismissed. */
export function work(team: usize): void {
  let looks = patience;
  for (;;) {
    // Read before `remaining`: a job that comes after that look changes it, and the wait below does not begin.
    const jobs = atomic.load<i32>(team, jobsAt);
    if (atomic.load<i32>(team) < 0) return;
    if (runOne(team)) looks = patience;
    else if (--looks == 0) {
      atomic.add<i32>(team, 1, sleepingAt);
      atomic.wait<i32>(team + jobsAt, jobs, -1);
      looks = patience;
    }
  }
}

/** Wakes whoever sleeps. Those who are on their way already are not called again: a call costs microseconds. */
function wake(team: usize): void {
  atomic.add<i32>(team, 1, jobsAt);
  if (atomic.load<i32>(team, sleepingAt) && atomic.xchg<i32>(team, 0, sleepingAt)) atomic.notify(team + jobsAt);
}

/** In a worker, after a trap: its call counts as done, and the job as failed. */
export function fail(team: usize): void {
  atomic.store<i32>(team, 1, failedAt);
  atomic.add<i32>(team, 1, doneAt);
}

/** Publishes a job of `calls` calls, works on it, and waits for the others as `join`. */
export function publish(team: usize, calls: i32, looks: i32): i32 {
  atomic.store<i32>(team, 0, doneAt);
  atomic.store<i32>(team, calls);
  wake(team);
  while (runOne(team)) {}
  return join(team, calls, looks);
}

/** Looks up to `looks` times whether `calls` calls have ended; no waiting, which a page's main thread must not do. */
export function join(team: usize, calls: i32, looks: i32): i32 {
  for (; looks > 0; --looks) {
    if (atomic.load<i32>(team, doneAt) == calls) return 1;
  }
  return 0;
}

/** Sends the workers home; sleepers too. */
export function dismiss(team: usize): void {
  atomic.store<i32>(team, -1);
  wake(team);
}
