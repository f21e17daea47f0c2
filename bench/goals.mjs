// What the library is to reach: floors, which must hold, and aims.
//
// A row's goal is { name, unit, of, versus, floor, aim }. Its unit says what is measured of Gradine's candidate `of` (the
// bench's first if not given): "ratio", the default: how many times as long `versus` takes; "share": of the machine's peak;
// "microseconds": the time itself, the only one where less is better. Goals of one name on several rows count by the worst.
import { ratio } from "./harness.mjs";
import { PEAK } from "./peak.mjs";

/** @typedef {{ name: string, unit?: "ratio" | "share" | "microseconds", of?: string, versus?: string, floor?: number, aim?: number }} Goal */

/** The goals of a bench with what was measured; `value` is missing where a candidate was not timed. */
export function goalsOf(rows, first) {
  const byName = new Map();
  for (const row of rows) {
    for (const goal of row.goals) {
      const all = byName.get(goal.name) ?? [];
      byName.set(goal.name, [...all, { goal, value: measured(goal, row, first), where: row.label }]);
    }
  }
  return [...byName.values()].map((all) => {
    const { name, unit = "ratio", floor, aim } = all[0].goal;
    const known = all.filter(({ value }) => value !== undefined);
    const worst = known.reduce((a, b) => (isBetter(unit, a.value, b.value) ? b : a), known[0]);
    return { name, unit, floor, aim, value: worst?.value, where: all.length > 1 ? worst?.where : undefined };
  });
}

function measured({ unit, of, versus }, row, first) {
  const timing = (name) => row.timings.find((one) => one.name === name);
  const one = timing(of ?? first);
  if (!one) return undefined;
  if (unit === "share") return shareOfPeak(row.timings, one);
  if (unit === "microseconds") return 1000 * one.ms;
  return timing(versus) && ratio(timing(versus), one);
}

/** The share of the peak, timed in the same rounds, that a candidate reaches. */
export function shareOfPeak(timings, one) {
  const peak = timings.find(({ name }) => name === PEAK);
  return ratio(peak, one) * (one.flop / peak.flop);
}

/** Whether a is the better value; what is not measured is the worst. */
export const isBetter = (unit, a, b) =>
  b === undefined || (a !== undefined && (unit === "microseconds" ? a < b : a > b));

/** What of a goal is reached. */
export function verdict({ unit, floor, aim, value }) {
  if (value === undefined) return "not measured";
  const holds = (bound) => bound !== undefined && (unit === "microseconds" ? value <= bound : value >= bound);
  if (holds(aim)) return "aim";
  if (holds(floor)) return "floor";
  return floor === undefined ? "not the aim" : "**no**";
}

const UNITS = {
  share: { sign: " %", text: (value) => (100 * value).toFixed(0), factor: 100 },
  microseconds: { sign: " µs", text: (value) => value.toPrecision(3), factor: 1 },
  ratio: { sign: "×", text: (value) => value.toFixed(value < 10 ? 2 : 0), factor: 1 },
};

/** A measured value as text. */
export const figure = (unit, value) => (value === undefined ? "-" : `${UNITS[unit].text(value)}${UNITS[unit].sign}`);

/** A floor or aim as text. */
export const bound = (unit, value) => (value === undefined ? "-" : `${UNITS[unit].factor * value}${UNITS[unit].sign}`);
