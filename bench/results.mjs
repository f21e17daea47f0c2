// The newest results, results.json: for every case its section and its goals, these with up to three runs of one build.
import { existsSync, readFileSync } from "node:fs";
import { isBetter } from "./goals.mjs";

export const FILE = new URL("results.json", import.meta.url);
/** A goal is judged by the best of so many runs: on a shared machine the others tell about its neighbours. */
const RUNS = 3;

export const load = () => (existsSync(FILE) ? JSON.parse(readFileSync(FILE, "utf8")) : { cases: {} });

/** Takes a case's result in: its goals get the values of former runs of the same build, and the best of them. */
export function keep(results, name, { build, goals, section }) {
  const before = results.cases[name];
  const former = (goal) =>
    before?.build === build ? (before.goals.find((one) => one.name === goal.name)?.runs ?? []) : [];
  results.cases[name] = {
    build,
    section,
    goals: goals.map(({ value, where, ...goal }) => {
      const runs = [...former(goal), { value, where }].slice(-RUNS);
      const best = runs.reduce((a, b) => (isBetter(goal.unit, b.value, a.value) ? b : a));
      return { ...goal, ...best, runs };
    }),
  };
}
