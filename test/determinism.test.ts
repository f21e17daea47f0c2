// The same bits everywhere: src/ may use only what the language defines to the last bit. What engines may round as they
// like (Math.exp, sin, pow, `**`, ...) comes from the kernels instead.
import { describe, expect, test } from "vitest";
import { blank, lineAt, readSources } from "./source.js";

// Exact by specification: IEEE 754 operations, integer operations, and choices among their arguments.
const exact = ["abs", "sqrt", "floor", "ceil", "trunc", "round", "sign", "min", "max", "fround", "imul", "clz32"];

/** "path:line: what" for each use of an inexact operation in a text. */
function inexact(path: string, text: string): string[] {
  const code = blank(text, { strings: true });
  // `Math` itself, and not only `Math.exp`, so that an alias or a destructuring is refused too. The look-behind lets
  // properties that merely share the name pass.
  const uses = [...code.matchAll(/(?<![\w$.])Math\b(?:\s*\.\s*(\w+))?/g)]
    .filter(([, name]) => name === undefined || !exact.includes(name))
    .concat([...code.matchAll(/\*\*=?/g)]);
  return uses.map((use) => `${path}:${lineAt(code, use.index)}: ${use[0]}`);
}

test("src uses exact operations only", () => {
  const found = [...readSources("src")].flatMap(([path, text]) => inexact(path, text));
  expect(found, "engines may round these differently; use the kernels' own functions").toEqual([]);
});

describe("the check can fail", () => {
  test.each([
    ["a call", "const y = Math.exp(x);", ["a.ts:1: Math.exp"]],
    ["a random number", "const a = 1;\nconst y = Math.random();", ["a.ts:2: Math.random"]],
    ["a constant", "const y = 2 * Math.PI;", ["a.ts:1: Math.PI"]],
    ["an alias", "const m = Math;", ["a.ts:1: Math"]],
    ["a destructuring", "const { sin } = Math;", ["a.ts:1: Math"]],
    ["a computed name", 'const y = Math["exp"](x);', ["a.ts:1: Math"]],
    ["a line break", "const y = Math\n  .tanh(x);", ["a.ts:1: Math\n  .tanh"]],
    ["the operator", "const y = x ** 2;", ["a.ts:1: **"]],
    ["its assignment", "x **= 2;", ["a.ts:1: **="]],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the fixture
    ["code in a template", "const s = `a ${Math.log(x)} b`;", ["a.ts:1: Math.log"]],
    ["code after a regular expression", "const r = /['\"`]/.test(s); const y = Math.cos(x);", ["a.ts:1: Math.cos"]],
    ["code after a division", "const y = a / b; const z = Math.cos(x) / 2;", ["a.ts:1: Math.cos"]],
  ])("%s", (_, text, expected) => expect(inexact("a.ts", text)).toEqual(expected));

  test.each([
    ["exact operations", exact.map((name) => `Math.${name}(x)`).join("\n")],
    ["comments", "// Math.exp, x ** 2\n/* Math.log\n ** */\n/** Math.sin */"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the fixture
    ["strings", "throw new Error('Math.exp' + \"a ** b\" + `x ** ${n} Math.pow`);"],
    ["regular expressions", "const r = /Math.exp[/]**/.test(s);"],
    ["other names", "myMath.exp(x); object.Math; MathML.exp;"],
  ])("%s pass", (_, text) => expect(inexact("a.ts", text)).toEqual([]));
});
