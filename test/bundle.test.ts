// What bundlers make of dist/: the methods that ops/fluent.ts attaches when imported survive, one copy of the kernels
// serves all entry points, and layers that a program does not use are dropped. And what dist/ is by itself: few files, for
// a quick start, that show their names and lines. Needs dist/ (npm run build).
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { build as viteBuild } from "vite";
import { describe, expect, test } from "vitest";
import { root } from "./source.js";

const entry = `${root}consumer.js`;

async function withEsbuild(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    format: "iife",
    globalName: "result",
    platform: "neutral",
    target: "es2022",
    write: false,
    logLevel: "silent",
  });
  return outputFiles[0]!.text;
}

async function withVite(contents: string): Promise<string> {
  const output = await viteBuild({
    configFile: false,
    root,
    logLevel: "silent",
    plugins: [
      {
        name: "consumer",
        enforce: "pre",
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? contents : undefined),
      },
    ],
    build: { write: false, minify: false, lib: { entry, formats: ["iife"], name: "result" } },
  });
  const chunk = [output].flat().flatMap((part) => ("output" in part ? part.output : []))[0]!;
  if (chunk.type !== "chunk") throw new Error("vite built no code");
  return chunk.code;
}

/** Runs a bundle in a context that has only the language, WebAssembly and console; gives what it exports. */
const run = (code: string): Record<string, unknown> => runInContext(`${code}\n;result`, createContext({}));

/** How many modules of kernels a bundle carries: each is a long text of two parts. */
const kernelTexts = (code: string) => code.match(/"[#-[\]-~]{10000,}(![#-[\]-~]{100,}){2}"/g)?.length ?? 0;

const bundlers = [
  ["esbuild", withEsbuild],
  ["vite", withVite],
] as const;

describe.each(bundlers)("bundled by %s", (_, bundle) => {
  test("a fluent method survives", async () => {
    const code = await bundle(
      `import { tensor } from "gradine"; export const sum = Array.from(tensor([1, 2]).add(1).toTypedArray());`,
    );
    expect([...(run(code).sum as number[])]).toEqual([2, 3]);
  });

  test("a fluent method survives where only a layer is imported beside the creation of a tensor", async () => {
    const code = await bundle(
      `import { tensor } from "gradine"; import { Linear } from "gradine/nn";
       const y = new Linear(2, 3).forward(tensor([1, 2, 3, 4], { shape: [2, 2] }));
       export const shape = [...y.add(1).shape];`,
    );
    expect([...(run(code).shape as number[])]).toEqual([2, 3]);
  });

  test("the entry points share one copy of the kernels", async () => {
    const code = await bundle(
      ["", "/nn", "/optim", "/train"].map((path, i) => `export * as m${i} from "gradine${path}";`).join("\n"),
    );
    expect(kernelTexts(code)).toBe(2);
  });

  test("a program without a kernel of the second module does not carry it", async () => {
    const code = await bundle(`import { tensor } from "gradine"; export const sum = tensor([1, 2]).sort().values;`);
    expect(kernelTexts(code)).toBe(1);
  });

  test("unused layers are dropped", async () => {
    const nn: Record<string, unknown> = await import("gradine/nn" as string);
    type Class = abstract new (...args: never[]) => object;
    const isA = (value: unknown, base: Class) =>
      typeof value === "function" && (value === base || value.prototype instanceof base);
    const { Module, Linear } = nn as { Module: Class; Linear: Class };
    const layers = Object.keys(nn).filter((name) => isA(nn[name], Module));
    expect(layers.length).toBeGreaterThan(50);
    const code = await bundle(`import { Linear } from "gradine/nn"; export const layer = new Linear(1, 1);`);
    // Linear and what it derives from stay.
    const kept = layers.filter(
      (name) => !isA(Linear, nn[name] as Class) && new RegExp(`\\bclass ${name}\\b|\\b${name} = class\\b`).test(code),
    );
    expect(kept).toEqual([]);
  });
});

test("classes keep their names", async () => {
  const nn: Record<string, unknown> = await import("gradine/nn" as string);
  const classes = Object.entries(nn).filter(
    ([, value]) => typeof value === "function" && /^class\b/.test(String(value)),
  );
  for (const [name, value] of classes) expect((value as { name: string }).name).toBe(name);
});

/** "index", "nn/index" and so on. */
const entries = readFileSync(`${root}package.json`, "utf8")
  .match(/(?<="default": "\.\/dist\/)[^"]+(?=\.js")/g)!
  .sort();

test.each(entries)("%s exports what its source exports, and nothing that is internal", async (entry) => {
  const built: object = await import(`${root}dist/${entry}.js`);
  const source: object = await import(`${root}src/${entry}.ts`);
  expect(Object.keys(built).sort()).toEqual(Object.keys(source).sort());
});

/** The files that Node loads for a file of dist/, itself among them. */
function filesFor(path: string, known = new Set<string>()): Set<string> {
  known.add(path);
  for (const [, other] of readFileSync(path, "utf8").matchAll(/^(?:import|export)\b[^"';]*\bfrom "(\.[^"]+)";$/gm)) {
    const file = join(dirname(path), other!);
    if (!known.has(file)) filesFor(file, known);
  }
  return known;
}

test.each([
  ["index", 2],
  ["nn/index", 3], // the namespace init is a file of its own
  ["optim/index", 4],
])("%s is loaded in few files, each of which takes time to find and read", (entry, most) => {
  const files = [...filesFor(join(root, `dist/${entry}.js`))];
  expect(files.length).toBeGreaterThan(1);
  expect(files.length).toBeLessThanOrEqual(most);
});

test("the files are ASCII, which is read faster, and have lines and names of functions for stack traces", () => {
  const files = readdirSync(join(root, "dist"), { recursive: true, encoding: "utf8" });
  const texts = files
    .filter((file) => file.endsWith(".js"))
    .map((file) => readFileSync(join(root, "dist", file), "utf8"));
  expect(texts.length).toBeGreaterThan(5);
  expect(texts.map((text) => /[\u0080-\uffff]/.exec(text)?.[0])).toEqual(texts.map(() => undefined));
  const core = texts.find((text) => text.includes("function reshape("))!;
  expect(core.split("\n").length).toBeGreaterThan(5000);
  expect(core).toMatch(/^function matmul\(/m);
});

test("the table of methods is a plain object: engines compile each of a namespace's getters", () => {
  const files = [...filesFor(join(root, "dist/train/index.js"))];
  const text = files.map((file) => readFileSync(file, "utf8")).join("\n");
  expect(text).toMatch(/^var families_exports = \{$/m);
  expect(text).not.toContain("__exportAll({");
});
