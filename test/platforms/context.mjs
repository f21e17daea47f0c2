// A bare `vm` context: the language, WebAssembly and console, and nothing of Node or of the web.
import { createContext, runInContext as evaluate } from "node:vm";

/** Evaluates a bundle whose global `program` has `train`, where nothing but the language is to be had. */
export function runInContext(code) {
  const context = createContext({});
  const absent = [
    "process",
    "require",
    "Buffer",
    "fetch",
    "TextDecoder",
    "atob",
    "performance",
    "setTimeout",
    "structuredClone",
  ];
  const present = absent.filter((name) => evaluate(`typeof ${name}`, context) !== "undefined");
  if (present.length > 0) throw new Error(`the context is not bare: ${present.join(", ")}`);
  const result = JSON.parse(evaluate(`${code}\n;JSON.stringify(program.train())`, context));
  return { version: `V8 ${process.versions.v8}`, result };
}
