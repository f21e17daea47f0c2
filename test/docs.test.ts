// Runs what the documentation shows: every `js` and `ts` block of README.md, and every @example of src/ that imports from
// "gradine". A block is left out by an HTML comment before it: `<!-- not run: a fragment -->`. A comment `// → text` in a
// block says what the program prints there, and is held against what it does print. Needs dist/ (npm run build).
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { transform } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { lineAt, readSources, root } from "./source.js";

interface Example {
  readonly file: string;
  /** 1-based line of the file that holds the first line of the code. */
  readonly line: number;
  readonly code: string;
  readonly language: "js" | "ts";
}

/** The blocks of a Markdown text that are to be run. */
function blocksOf(file: string, text: string): Example[] {
  const fence = /^(?:<!--(.*?)-->\s*?\n\s*)?```(js|ts|javascript|typescript)[^\n]*\n(.*?)^```/gms;
  return [...text.matchAll(fence)]
    .filter(([, comment]) => !comment?.trim().startsWith("not run"))
    .map((match) => {
      const [all, , language, code] = match as unknown as [string, string, string, string];
      const line = lineAt(text, match.index + all.length - "```".length - code.length);
      return { file, line, code, language: language.startsWith("t") ? "ts" : "js" };
    });
}

/** The examples of doc comments that import from the package; others are fragments. */
function examplesOf(file: string, text: string): Example[] {
  const found: Example[] = [];
  for (const comment of text.matchAll(/\/\*\*.*?\*\//gs)) {
    const lines = comment[0]
      .split("\n")
      .map((line) => line.replace(/^\s*(?:\/\*\*|\*(?!\/)) ?/, "").replace(/\s*\*\/$/, ""));
    for (const [i, first] of lines.entries()) {
      if (!/^@example\b/.test(first)) continue;
      const next = lines.findIndex((line, j) => j > i && /^@\w/.test(line));
      let [begin, end] = [i + 1, next < 0 ? lines.length : next];
      const open = lines.findIndex((line, j) => j >= begin && j < end && line.startsWith("```"));
      const language = open >= 0 && /^```t/.test(lines[open]!) ? "ts" : "js";
      if (open >= 0) {
        const close = lines.findIndex((line, j) => j > open && line.startsWith("```"));
        [begin, end] = [open + 1, close < 0 ? end : close];
      }
      const code = lines.slice(begin, end).join("\n");
      if (!/\bfrom\s*["']gradine/.test(code)) continue;
      found.push({ file, line: lineAt(text, comment.index) + begin, code, language });
    }
  }
  return found;
}

const { exports: entries } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
/** URL of the built file behind "gradine" or "gradine/nn". */
function resolve(specifier: string): string {
  const entry = entries[`.${specifier.slice("gradine".length)}`];
  if (entry === undefined) throw new Error(`package.json exports no ${specifier}`);
  return pathToFileURL(join(root, entry.default)).href;
}

/**
 * Runs an example in a worker of its own (a fresh library and seed each, at a fraction of a process's price); gives what
 * it printed, or throws an error that says where it failed.
 */
async function run({ file, line, code, language }: Example): Promise<string> {
  const js = language === "ts" ? (await transform(code, { loader: "ts", target: "es2022" })).code : code;
  // A `data:` module resolves no bare specifiers, so that they become addresses; line ends stay where they were.
  const resolved = js.replace(
    /(\bfrom\s*|\bimport\s*\(?\s*)(["'])(gradine(?:\/[\w-]+)?)\2/g,
    (_, before, quote, name) => {
      return before + quote + resolve(name) + quote;
    },
  );
  const url = new URL(`data:text/javascript;charset=utf-8,${encodeURIComponent(resolved)}`);
  const worker = new Worker(url, { stdout: true, stderr: true });
  let printed = "";
  worker.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  worker.stderr.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const failure = await new Promise<Error | undefined>((done) => {
    let error: Error | undefined;
    worker.on("error", (cause) => {
      error = cause;
    });
    worker.on("exit", (status) => done(error ?? (status === 0 ? undefined : new Error(`exit status ${status}`))));
  });
  if (failure !== undefined) {
    // Lines of a transformed block are no longer those of the file: then only the block is named.
    const inside =
      language === "js" ? /data:text\/javascript.*:(\d+):\d+\)?$/m.exec(failure.stack ?? "")?.[1] : undefined;
    const at = line + (inside === undefined ? 0 : Number(inside) - 1);
    throw new Error(`${file}:${at}: ${failure.name}: ${failure.message}`);
  }
  const lines = printed.split("\n").map((text) => text.trim());
  for (const [i, text] of code.split("\n").entries()) {
    const expected = /\/\/ → (.*)$/.exec(text)?.[1]?.trim();
    if (expected === undefined) continue;
    const at = lines.indexOf(expected);
    if (at < 0) throw new Error(`${file}:${line + i}: not printed (here or later): ${expected}\nprinted:\n${printed}`);
    lines.splice(0, at + 1);
  }
  return printed;
}

const readme = join(root, "README.md");
const examples = [
  ...(existsSync(readme) ? blocksOf("README.md", readFileSync(readme, "utf8")) : []),
  ...[...readSources("src")].flatMap(([path, text]) => examplesOf(path, text)),
];

describe("examples of the documentation run", () => {
  beforeAll(() => {
    if (!existsSync(join(root, "dist/index.js"))) throw new Error("dist/ is missing: npm run build");
  });
  test.each(examples.map((example) => [`${example.file}:${example.line}`, example] as const))(
    "%s",
    async (_, example) => {
      await run(example);
    },
  );
});

describe("the check can fail", () => {
  const markdown = [
    "# Title",
    "```js",
    'import { tensor } from "gradine";',
    "console.log(tensor([1, 2]).shape.length); // → 1",
    "```",
    "<!-- not run: a fragment -->",
    "```js",
    "x.relu();",
    "```",
    "<!-- another comment -->",
    "```ts",
    "const n: number = 1;",
    "console.log(n);",
    "```",
    "```sh",
    "npm install gradine",
    "```",
    "```js",
    "const a = 1;",
    "a.b.c();",
    "```",
    "",
  ].join("\n");
  const source = [
    "/** No example. */",
    "export const a = 1;",
    "/**",
    " * An example in a fence.",
    " * @example",
    " * ```js",
    ' * import { tensor } from "gradine";',
    " * tensor([1]).misspelt();",
    " * ```",
    " * @throws never",
    " */",
    "export const b = 1;",
    "  /**",
    "   * @example",
    '   * import { tensor } from "gradine";',
    "   * console.log(1 + 1); // → 3",
    "   */",
    "/** @example a fragment */",
    "",
  ].join("\n");

  test("blocks of Markdown", async () => {
    const blocks = blocksOf("a.md", markdown);
    expect(blocks.map(({ line, language }) => [line, language])).toEqual([
      [3, "js"],
      [12, "ts"],
      [19, "js"],
    ]);
    expect(await run(blocks[0]!)).toBe("1\n");
    expect(await run(blocks[1]!)).toBe("1\n");
    await expect(run(blocks[2]!)).rejects.toThrow("a.md:20: TypeError");
  });

  test("examples of doc comments", async () => {
    const found = examplesOf("a.ts", source);
    expect(found.map(({ line }) => line)).toEqual([7, 15]);
    await expect(run(found[0]!)).rejects.toThrow("a.ts:8: TypeError");
    await expect(run(found[1]!)).rejects.toThrow("a.ts:16: not printed (here or later): 3");
  });

  test("a subpath that is not exported", async () => {
    const code = 'import { x } from "gradine/nothing";';
    await expect(run({ file: "a.md", line: 1, code, language: "js" })).rejects.toThrow("exports no gradine/nothing");
  });
});
