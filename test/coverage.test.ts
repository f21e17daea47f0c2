// Every public op has rows, and docs/OPS.md says what is checked of it. `UPDATE_OPS=1 npx vitest run test/coverage.test.ts`
// writes the page anew.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as families from "../src/ops/families.js";
import * as functional from "../src/ops/functional.js";
import type { Row } from "./cases/case.js";
import { rows } from "./cases/index.js";
import { isDifferentiated } from "./rows.js";

const page = new URL("../docs/OPS.md", import.meta.url);
const goldens = new URL("goldens/", import.meta.url);

const exported = Object.entries({ ...families, ...functional })
  .filter(([, value]) => typeof value === "function")
  .map(([name]) => name)
  .sort();

function rowsByOp(): Map<string, Row[]> {
  const byOp = new Map<string, Row[]>();
  for (const row of rows) byOp.set(row.op, [...(byOp.get(row.op) ?? []), row]);
  return byOp;
}

/** How many golden cases there are of each op. */
function goldenCounts(): Map<string, number> {
  const counts = new Map<string, number>();
  if (!existsSync(goldens)) return counts;
  for (const name of readdirSync(goldens).filter((file) => file.endsWith(".json") && file !== "nn.json")) {
    const { cases } = JSON.parse(readFileSync(new URL(name, goldens), "utf8")) as { cases: { op: string }[] };
    for (const { op } of cases) counts.set(op, (counts.get(op) ?? 0) + 1);
  }
  return counts;
}

/** What is checked of an op's gradients: the two columns of the table. */
function gradientCells(own: readonly Row[]): [first: string, second: string] {
  const kinds = own.map((row) => row.gradient ?? "second");
  const reason = own.find((row) => row.reason !== undefined)?.reason ?? "";
  if (kinds.includes("second")) return ["checked", "checked"];
  if (kinds.includes("first")) return ["checked", `throws: ${reason}`];
  const why = reason === "" ? "none" : `none: ${reason}`;
  return [own.some((row) => row.inputs.some(isDifferentiated)) ? why : "none", "none"];
}

function table(): string {
  const byOp = rowsByOp();
  const counts = goldenCounts();
  const lines = exported.map((op) => {
    const own = byOp.get(op) ?? [];
    const [first, second] = gradientCells(own);
    const dtypes = ["f32", "i32", "bool"].filter((d) =>
      own.some((r) => r.inputs.some((x) => (x.dtype ?? "f32") === d)),
    );
    const special = own.some((row) => row.elementwise) ? "checked" : "";
    return `| ${[op, own.length, first, second, dtypes.join(", "), special, counts.get(op) ?? 0].join(" | ")} |`;
  });
  return `# What is checked of each op

Written by test/coverage.test.ts from the case table (test/cases) and the goldens (test/goldens): \`UPDATE_OPS=1 npx vitest run test/coverage.test.ts\`.

Each row is held against a float64 reference forward, its gradients against differences of that reference, and its memory
against leaks; goldens are cases computed by PyTorch.

| op | rows | gradient | gradient of the gradient | dtypes | NaN, ±Inf, −0, denormals | goldens |
|---|---|---|---|---|---|---|
${lines.join("\n")}

${exported.length} ops, ${rows.length} rows, ${[...counts.values()].reduce((n, c) => n + c, 0)} goldens.
`;
}

describe("coverage", () => {
  test("every exported op has a row", () => {
    const covered = new Set(rows.map((row) => row.op));
    expect(exported.filter((name) => !covered.has(name))).toEqual([]);
  });

  test("every row is of an exported op", () => {
    expect([...rowsByOp().keys()].filter((op) => !exported.includes(op))).toEqual([]);
  });

  test("an op that takes f32 has a checked gradient, or a reason why not", () => {
    const silent = [...rowsByOp()].filter(
      ([, own]) =>
        own.every((row) => row.gradient === "none" && row.reason === undefined) &&
        own.some((row) => row.inputs.some(isDifferentiated)) &&
        !own.some((row) => row.writes),
    );
    expect(silent.map(([op]) => op)).toEqual([]);
  });

  test("docs/OPS.md is up to date", () => {
    const want = table();
    if (process.env.UPDATE_OPS) writeFileSync(page, want);
    expect(existsSync(page) ? readFileSync(page, "utf8") : "", "run with UPDATE_OPS=1").toBe(want);
  });
});
