// Every row of the case table: forward, gradients, memory, refusals; elementwise rows with special values and lengths.
import { describe, expect, test } from "vitest";
import { scope, tensor } from "../src/index.js";
import type { Row } from "./cases/case.js";
import { rows } from "./cases/index.js";
import {
  checkFirst,
  checkForward,
  checkMemory,
  checkRefusesSecond,
  checkSecond,
  checkStale,
  checkWrite,
  expectForward,
  referenceOf,
  runRow,
} from "./checks.js";
import { isDifferentiated, randomFrom, refsOf, seedOf, tensorsOf, titleOf, valuesOf } from "./rows.js";

/** NaN, infinities, zeros, denormals, the largest and the smallest numbers, and a few in the middle. */
const special = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, -1, 0.5, -0.5, 3, -2.5],
  ...[2 ** -149, -(2 ** -149), 2 ** -127, 2 ** -126, -(2 ** -126), 3.4028234663852886e38, -3.4028234663852886e38],
  ...[1e-20, -1e-20, 1e20, 88.5, -88.5, 103.5, -103.5],
].map(Math.fround);

/** Every combination of special values, as inputs of one axis. */
function specialInputs(row: Row): { shape: number[]; data: Float64Array }[] {
  const k = row.inputs.length;
  const n = special.length ** k;
  return row.inputs.map((_, i) => ({
    shape: [n],
    data: Float64Array.from({ length: n }, (_, j) => special[Math.floor(j / special.length ** i) % special.length]!),
  }));
}

for (const row of rows) {
  const gradient = row.gradient ?? "second";
  describe(titleOf(row), () => {
    const refs = refsOf(row);
    test("forward", () => checkForward(row, refs));
    test("memory", () => checkMemory(row, refs));
    test("stale inputs", () => checkStale(row, refs));
    if (gradient !== "none") test("first gradient", () => checkFirst(row, refs));
    if (gradient === "second") test("second gradient", () => checkSecond(row, refs));
    if (gradient === "first") test("no second gradient", () => checkRefusesSecond(row, refs));
    if (gradient === "none" && row.reason === undefined) {
      test("has no gradient", () => {
        scope(() => {
          const outputs =
            row.inputs.some(isDifferentiated) && !row.writes ? runRow(row, tensorsOf(row, refs, true)) : [];
          expect(
            outputs.some((y) => y.requiresGrad),
            "give the reason why the gradient is not checked",
          ).toBe(false);
        });
      });
    }
    if (row.writes) test("write raises the version", () => checkWrite(row, refs));
    if (gradient === "first") test("has a reason", () => expect(row.reason).toBeTruthy());
    if (row.elementwise) {
      test("special values", () => {
        scope(() => {
          const values = specialInputs(row);
          const inputs = values.map((x) => tensor(x.data, { shape: x.shape }));
          expectForward(row, runRow(row, inputs), referenceOf(row, values));
        });
      });
      test("lengths 0 to 17", () => {
        const random = randomFrom(seedOf(titleOf(row)));
        for (let n = 0; n <= 17; n++) {
          const values = row.inputs.map((input) => {
            const { values: _, ...drawn } = input;
            return valuesOf({ ...drawn, shape: [n] }, random);
          });
          checkForward(row, values);
        }
      });
    }
  });
}
