// What all peers in JavaScript share: how many steps are compared, and how a run is timed.

export const CHECKED_STEPS = 10;

/** The losses of the first steps, which the bench compares with the reference before it times anything. */
export const losses = (step) => Array.from({ length: CHECKED_STEPS }, step);

/** Milliseconds of `repetitions` calls. */
export function time(repetitions, call) {
  const start = performance.now();
  for (let i = 0; i < repetitions; i++) call();
  return performance.now() - start;
}
