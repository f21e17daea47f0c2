// Reads TypeScript as text, for the tests that hold src/ against rules: no parser, but comments and strings told from code.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root: string = fileURLToPath(new URL("..", import.meta.url));

/** Every .ts file under a folder of the project but the generated ones: path from the root, with "/", to its text. */
export function readSources(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  const walk = (path: string) => {
    for (const name of readdirSync(path).sort()) {
      const child = join(path, name);
      if (statSync(child).isDirectory()) {
        if (name !== "generated") walk(child);
      } else if (name.endsWith(".ts")) {
        files.set(relative(root, child).replaceAll("\\", "/"), readFileSync(child, "utf8"));
      }
    }
  };
  walk(join(root, folder));
  return files;
}

/** 1-based line of an offset. */
export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length;

// A `/` begins a regular expression where no value has just ended.
const beforeRegExp = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|yield|await|void|delete))\s*$/;

/**
 * The text with every comment replaced by blanks, and with `strings` the inside of string, template and regular
 * expression literals too. Lengths and line ends stay, so that offsets remain those of the original.
 */
export function blank(text: string, { strings }: { strings: boolean }): string {
  let out = "";
  let i = 0;
  const hide = (end: number) => {
    out += text.slice(i, end).replace(/[^\n]/g, " ");
    i = end;
  };
  const keep = (end: number) => {
    out += text.slice(i, end);
    i = end;
  };
  const literal = (end: number) => (strings ? hide(end) : keep(end));
  /** Offset of the closing quote (or the end of the line, where it is missing). */
  const closing = (quote: string) => {
    let end = i;
    let inClass = false;
    while (end < text.length && text[end] !== "\n" && (text[end] !== quote || inClass)) {
      if (quote === "/" && text[end] === "[") inClass = true;
      if (quote === "/" && text[end] === "]") inClass = false;
      end += text[end] === "\\" ? 2 : 1;
    }
    return end;
  };
  /** Text of a template up to its end, and code within `${}`. */
  const template = () => {
    while (i < text.length) {
      if (text[i] === "`") return keep(i + 1);
      if (text.startsWith("${", i)) {
        keep(i + 2);
        code("}");
      } else literal(i + (text[i] === "\\" ? 2 : 1));
    }
  };
  /** Code up to the brace that closes it, or to the end of the text. */
  const code = (until: string) => {
    let depth = 0;
    while (i < text.length) {
      const c = text[i]!;
      if (c === "{") depth++;
      if (c === "}" && depth-- === 0 && until === "}") return keep(i + 1);
      if (text.startsWith("//", i)) hide(endOr(text.indexOf("\n", i)));
      else if (text.startsWith("/*", i)) hide(endOr(text.indexOf("*/", i + 2) + 2, 2));
      else if (c === '"' || c === "'" || (c === "/" && beforeRegExp.test(out.slice(-40)))) {
        keep(i + 1);
        literal(closing(c));
        keep(i + 1);
      } else if (c === "`") {
        keep(i + 1);
        template();
      } else keep(i + 1);
    }
  };
  const endOr = (end: number, none = 0) => (end < none ? text.length : end);
  code("");
  return out;
}
