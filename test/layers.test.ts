// Data flows one way (kernels -> memory -> tensor -> tape -> ops -> nn -> optim, data -> train -> io): holds the imports of
// src/ against that, and against what keeps the package free of surprises (no side effects, no defaults, no built-ins).
import { describe, expect, test } from "vitest";
import { blank, lineAt, readSources } from "./source.js";

/** A file may import its own folder, and the index.ts of folders of smaller rank. "" is the files of src/ itself. */
const ranks: Readonly<Record<string, number>> = {
  kernels: 1,
  memory: 2,
  tensor: 3,
  tape: 4,
  ops: 5,
  nn: 6,
  models: 6.5, // made of nn's layers
  optim: 7,
  data: 7,
  train: 8,
  io: 9,
  doctor: 9,
  worker: 9,
};
/** Top-level files any file may import: pure shape arithmetic, and the text of every error. */
const common = ["src/shape.ts", "src/error.ts"];
const kernelUsers = ["kernels", "memory", "tensor", "tape", "ops", "optim"];
/** Packages, each with the one file that may import it. They are bundled: the package has no dependency. */
const packages: Readonly<Record<string, string>> = { "@assemblyscript/loader": "src/kernels/instantiate.ts" };

const folderOf = (path: string) => /^src\/([^/]+)\//.exec(path)?.[1] ?? "";

/** "src/nn/linear.ts" and "../ops/index.js" give "src/ops/index.ts"; .ts because sources import by the built name. */
function resolve(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/").replace(/\.js$/, ".ts");
}

/** Why `from` may not import `specifier`, or undefined. */
function refusal(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) {
    return packages[specifier] === from ? undefined : "is a package or built-in, which this file may not import";
  }
  const to = resolve(from, specifier);
  const [here, there] = [folderOf(from), folderOf(to)];
  if (!to.startsWith("src/")) return "lies outside src/";
  if (common.includes(to)) return undefined;
  if (common.includes(from)) return "is not of rank 0";
  if (here === "" && there === "") return undefined;
  if (here === there) return undefined;
  if (there === "") return "is the package's root, which no folder may import";
  if (there === "kernels" && !kernelUsers.includes(here)) return `is for ${kernelUsers.join(", ")} only`;
  if (to !== `src/${there}/index.ts`) return `is inside another folder; only src/${there}/index.ts may be imported`;
  const [rank, other] = [here === "" ? Number.POSITIVE_INFINITY : ranks[here], ranks[there]];
  if (rank === undefined || other === undefined)
    return "has or meets a folder without a rank; give it one in this test";
  if (other >= rank) return `is of rank ${other}, not below ${here}'s ${rank}`;
  return undefined;
}

/** "path:line: what is wrong" for each broken rule of a file. */
function violations(path: string, text: string): string[] {
  const code = blank(text, { strings: false });
  const found: string[] = [];
  const report = (offset: number, what: string) => found.push(`${path}:${lineAt(code, offset)}: ${what}`);
  const statement = /(?:^|[;}\n])\s*(import|export)\b([^"';]*?\bfrom\s*|\s*)["']([^"']+)["']/g;
  for (const match of code.matchAll(statement)) {
    const why = refusal(path, match[3]!);
    const at = match.index + match[0].lastIndexOf(match[3]!);
    if (why !== undefined) report(at, `${match[3]} ${why}`);
    const onlyFluent = match[3] === "./fluent.js" && path === "src/ops/index.ts";
    if (match[1] === "import" && match[2]!.trim() === "" && !onlyFluent) {
      report(at, `import "${match[3]}" for its side effects; only src/ops/index.ts does that, with ./fluent.js`);
    }
  }
  // A dynamic import may reach built-ins, in the function that needs them; between our files the same rules hold.
  for (const match of code.matchAll(/\bimport\s*\(\s*["'](\.[^"']*)["']/g)) {
    const why = refusal(path, match[1]!);
    if (why !== undefined) report(match.index, `${match[1]} ${why}`);
  }
  const bare = blank(text, { strings: true });
  for (const match of bare.matchAll(/\bexport\s+default\b|\bas\s+default\b|\brequire\s*\(/g)) {
    report(match.index, `${match[0]} (exports are named, modules are ES modules)`);
  }
  return found;
}

test("imports in src follow the ranks", () => {
  const found = [...readSources("src")].flatMap(([path, text]) => violations(path, text));
  expect(found).toEqual([]);
});

describe("the check can fail", () => {
  test.each([
    ["a folder of higher rank", "src/tensor/a.ts", 'import { relu } from "../ops/index.js";', "rank 5"],
    ["a folder of the same rank", "src/data/a.ts", 'import type { SGD } from "../optim/index.js";', "rank 7"],
    ["a file inside another folder", "src/nn/a.ts", 'export { relu } from "../ops/relu.js";', "only src/ops/index.ts"],
    ["kernels from above", "src/nn/a.ts", 'import { kernels } from "../kernels/index.js";', "is for kernels, memory"],
    ["kernels from the root", "src/index.ts", 'export { init } from "./kernels/index.js";', "is for kernels, memory"],
    ["kernels through a file", "src/ops/a.ts", 'import type { Ptr } from "../kernels/ptr.js";', "only src/kernels"],
    ["the root", "src/nn/a.ts", 'import { tensor } from "../index.js";', "the package's root"],
    ["rank 0 from above", "src/error.ts", 'import { Tensor } from "./tensor/index.js";', "not of rank 0"],
    ["a file inside a folder from the root", "src/index.ts", 'export { relu } from "./ops/relu.js";', "only src/ops"],
    ["an unknown folder", "src/new/a.ts", 'import { relu } from "../ops/index.js";', "without a rank"],
    ["outside src", "src/nn/a.ts", 'import { x } from "../../test/x.js";', "outside src"],
    ["a built-in", "src/io/a.ts", 'import { readFile } from "node:fs/promises";', "package or built-in"],
    ["a package", "src/io/a.ts", 'import * as loader from "@assemblyscript/loader";', "package or built-in"],
    ["several lines", "src/tensor/a.ts", 'import {\n  relu,\n  type Op,\n} from "../ops/index.js";', "a.ts:4"],
    ["the second of two", "src/tape/a.ts", 'import "./b.js"; import { a } from "../ops/index.js";', "rank 5"],
    ["side effects", "src/nn/a.ts", 'import "./b.js";', "for its side effects"],
    ["a dynamic import", "src/tensor/a.ts", 'await import("../io/index.js");', "rank 9"],
    ["a default export", "src/nn/a.ts", "export default class A {}", "export default"],
    ["a default by another name", "src/nn/a.ts", "export { a as default };", "as default"],
    ["require", "src/io/a.ts", 'const fs = require("node:fs");', "require("],
  ])("%s", (_, path, text, expected) => {
    const found = violations(path, text);
    expect(found.length).toBeGreaterThan(0);
    expect(found.join("\n")).toContain(expected);
  });

  test.each([
    ["its own folder", "src/nn/a.ts", 'import { b } from "./b.js";\nimport { c } from "./models/c.js";'],
    ["its own folder, from deeper", "src/nn/models/a.ts", 'import { b } from "../b.js";'],
    ["a lower index", "src/nn/a.ts", 'import { relu } from "../ops/index.js";\nexport * from "../tensor/index.js";'],
    ["rank 0", "src/memory/a.ts", 'import { numel } from "../shape.js";\nimport { fail } from "../error.js";'],
    ["kernels, from those who run them", "src/optim/a.ts", 'import { launch } from "../kernels/index.js";'],
    ["the root's table of contents", "src/index.ts", 'export { relu } from "./ops/index.js";'],
    [
      "the loader in its place",
      "src/kernels/instantiate.ts",
      'import { instantiateSync } from "@assemblyscript/loader";',
    ],
    ["a dynamic built-in", "src/io/a.ts", 'const { readFile } = await import("node:fs/promises");'],
    ["comments and strings", "src/nn/a.ts", '// import "../io/index.js"\nconst s = \'from "../io/index.js"\';'],
    ["the fluent methods", "src/ops/index.ts", 'import "./fluent.js";'],
  ])("%s passes", (_, path, text) => expect(violations(path, text)).toEqual([]));
});
