// What the library is to reach: floors, which must hold, and aims.
//
// A row's goal is { name, floor, aim } and what is measured: `versus` the time of that candidate divided by Gradine's,
// `peak` the share of the machine's peak, `microseconds` the time itself (the only one where less is better). `of` names
// Gradine's candidate where it is not the bench's first. Rows with goals of one name count by the worst of them.
import { ratio } from "./harness.mjs";

/** @typedef {{ name: string, of?: string, versus?: string, peak?: boolean, microseconds?: boolean, floor?: number, aim?: number }} Goal */

/** The goals of a bench with what was measured; `value` is missing where a candidate was not timed. */
export function goalsOf(rows, first) {
  const goals = new Map();
  for (const row of rows) {
    for (const goal of row.goals) {
      const value = measured(goal, row, first);
      const known = goals.get(goal.name);
      if (known && !(value !== undefined && isBetter(goal, known.value, value))) continue;
      const { name, floor, aim, peak, microseconds } = goal;
      const where =
        rows.filter(({ goals: all }) => all.some((one) => one.name === name)).length > 1 ? row.label : undefined;
      goals.set(name, {
        name,
        unit: peak ? "share" : microseconds ? "microseconds" : "ratio",
        floor,
        aim,
        value,
        where,
      });
    }
  }
  return [...goals.values()];
}

function measured({ of, versus, peak, microseconds }, row, first) {
  const timing = (name) => row.timings.find((one) => one.name === name);
  const one = timing(of ?? first);
  if (!one) return undefined;
  if (peak) return row.flop / one.ms / 1e6 / row.peak;
  if (microseconds) return 1000 * one.ms;
  return timing(versus) && ratio(timing(versus), one);
}

/** Whether a is the better value of a goal; what is not measured counts as worst. */
export const isBetter = ({ unit, microseconds }, a, b) =>
  b === undefined || (a !== undefined && (unit === "microseconds" || microseconds ? a < b : a > b));

/** "aim", "floor", "no" or "not measured". */
export function verdict({ unit, floor, aim, value }) {
  if (value === undefined) return "not measured";
  const holds = (bound) => bound !== undefined && (unit === "microseconds" ? value <= bound : value >= bound);
  if (holds(aim) || (aim === undefined && holds(floor))) return aim === undefined ? "floor" : "aim";
  if (holds(floor)) return "floor";
  return floor === undefined ? "not the aim" : "**no**";
}

/** A measured value as text, and a floor or aim. */
export const figure = (unit, value) => (value === undefined ? "-" : `${UNITS[unit].text(value)}${UNITS[unit].sign}`);
export const bound = (unit, value) =>
  value === undefined ? "-" : `${unit === "share" ? 100 * value : value}${UNITS[unit].sign}`;

const UNITS = {
  share: { sign: " %", text: (value) => (100 * value).toFixed(0) },
  microseconds: { sign: " µs", text: (value) => value.toPrecision(3) },
  ratio: { sign: "×", text: (value) => value.toFixed(value < 10 ? 2 : 0) },
};
