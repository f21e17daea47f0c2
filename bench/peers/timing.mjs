// What the peers in JavaScript share: how a run is timed, and a few steps' losses.

/** Milliseconds of `repetitions` calls. */
export function time(repetitions, call) {
  const start = performance.now();
  for (let i = 0; i < repetitions; i++) call();
  return performance.now() - start;
}

/** The same for calls that give promises. */
export async function timeAsync(repetitions, call) {
  const start = performance.now();
  for (let i = 0; i < repetitions; i++) await call();
  return performance.now() - start;
}

/** Calls `step` as often as the task wants losses compared. */
export const losses = ({ checkedSteps }, step) => Array.from({ length: checkedSteps }, step);

/** The values at an operation's probes (data.mjs). */
export const atProbes = ({ probes }, values) => probes.map((at) => values[at]);
