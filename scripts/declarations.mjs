// Reads the declaration files that tsc writes, as text: TypeScript 7 has no compiler interface. For the api report, and for
// what build.mjs still has to do to them.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** The text without comments and private members; the literals of a declaration file are single-line strings and template types. */
const withoutComments = (text) =>
  text
    .replace(
      /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/[ \t]*|\/\/[^\n]*/g,
      (_, literal) => literal ?? "",
    )
    .replace(/^[ \t]*(?:#private;|private (?:static |readonly )*\w+;)?[ \t]*\n/gm, "");

/** Top-level statements. tsc begins each in column 0 and indents or closes by a bracket whatever belongs to it. */
const statements = (text) => text.split(/\n(?=[a-z])/).map((statement) => statement.trim());

const files = new Map();
/** Every file that was read so far. */
export const filesRead = () => [...files.values()];

/** What a declaration file declares, imports and exports. */
export function read(path) {
  const known = files.get(path);
  if (known) return known;
  const file = { path, declared: new Map(), imported: new Map(), exported: new Map(), stars: [], augmentations: [] };
  files.set(path, file);
  const at = (specifier) => {
    if (!specifier.startsWith(".")) throw new Error(`${path} refers to the package ${specifier}`);
    return join(dirname(path), specifier.replace(/\.js$/, ".d.ts"));
  };
  const names = (list) =>
    list
      .split(",")
      .map((name) => name.trim().replace(/^type /, ""))
      .filter((name) => name !== "")
      .map((name) => (name.includes(" as ") ? name.split(" as ") : [name, name]));
  for (const statement of statements(withoutComments(readFileSync(path, "utf8")))) {
    let match;
    if (statement === "" || statement === "export {};") continue;
    if ((match = /^import "([^"]+)";$/.exec(statement))) {
      read(at(match[1])); // only for the types it adds to others
    } else if ((match = /^import (?:type )?\{([^}]*)\} from "([^"]+)";$/.exec(statement))) {
      for (const [name, local] of names(match[1])) file.imported.set(local, { from: at(match[2]), name });
    } else if ((match = /^import (?:type )?\* as (\w+) from "([^"]+)";$/.exec(statement))) {
      file.imported.set(match[1], { from: at(match[2]), name: "*" });
    } else if ((match = /^export (?:type )?\{([^}]*)\} from "([^"]+)";$/.exec(statement))) {
      for (const [name, as] of names(match[1])) file.exported.set(as, { from: at(match[2]), name });
    } else if ((match = /^export (?:type )?\* as (\w+) from "([^"]+)";$/.exec(statement))) {
      file.exported.set(match[1], { from: at(match[2]), name: "*" });
    } else if ((match = /^export (?:type )?\* from "([^"]+)";$/.exec(statement))) {
      file.stars.push(at(match[1]));
    } else if ((match = /^export (?:type )?\{([^}]*)\};$/.exec(statement))) {
      for (const [name, as] of names(match[1])) file.exported.set(as, { from: path, name });
    } else if ((match = /^declare module "([^"]+)" \{\n([\s\S]*)\n\}$/.exec(statement))) {
      file.augmentations.push({ of: at(match[1]), text: match[2].replace(/^ {4}/gm, "") });
    } else if (
      (match =
        /^(export )?(?:declare )?(?:abstract )?(?:function\*?|class|interface|type|const|let|var|enum|namespace) (\w+)/.exec(
          statement,
        ))
    ) {
      const [, isExported, name] = match;
      // Overloads, and an interface that merges with a class, share a name: their order is part of the meaning.
      const text = statement.replace(/^export /, "").replace(/^declare /, "");
      file.declared.set(name, [...(file.declared.get(name) ?? []), text]);
      if (isExported) file.exported.set(name, { from: path, name });
    } else throw new Error(`${path}: api.mjs cannot read this statement:\n${statement}`);
  }
  return file;
}

/** The names a file exports, those of its `export *` included. */
export function exportsOf(path) {
  const { exported, stars } = read(path);
  return new Map([...stars.flatMap((star) => [...exportsOf(star)]), ...exported]);
}

/** The file and name where an exported or imported name is declared. */
export function home({ from, name }) {
  if (name === "*") return { from, name };
  const file = read(from);
  if (file.declared.has(name)) return { from, name };
  const next = file.exported.get(name) ?? file.imported.get(name) ?? exportsOf(from).get(name);
  if (!next) throw new Error(`${from} has no declaration of ${name}`);
  return home(next);
}

/** Whether a file still declares, or passes on, a name: `stripInternal` removes declarations but not their re-exports. */
function exists({ from, name }) {
  if (name === "*") return true;
  const file = read(from);
  if (file.declared.has(name)) return true;
  const next = file.exported.get(name) ?? file.imported.get(name);
  if (next !== undefined) return exists(next);
  return file.stars.some((star) => exists({ from: star, name }));
}

/**
 * Makes the declarations of a folder fit any consumer: no re-export of what `stripInternal` removed, and no need for the
 * libraries "dom" (where the names of WebAssembly live) or "esnext.disposable".
 */
export function finishDeclarations(dist) {
  const paths = readdirSync(dist, { recursive: true })
    .filter((path) => path.endsWith(".d.ts"))
    .map((path) => join(dist, path));
  const used = new Set(["Module"]); // which wasm.d.ts names
  const results = paths.map((path) => {
    const file = read(path);
    const text = readFileSync(path, "utf8")
      .replace(/^export (type )?\{([^}]*)\} from "([^"]+)";$/gm, (_, type = "", list, specifier) => {
        const items = list
          .split(",")
          .map((item) => item.trim())
          .filter((item) => item !== "");
        const kept = items.filter((item) => exists(file.exported.get(item.replace(/^type |.* as /g, ""))));
        return kept.length === 0 ? "" : `export ${type}{ ${kept.join(", ")} } from "${specifier}";`;
      })
      .replace(/(?<!["'`*/].*)\bWebAssembly\.(\w+)/g, (_, name) => {
        used.add(name);
        const up = relative(dirname(path), dist).replaceAll("\\", "/") || ".";
        return `import("${up}/webassembly.js").${name}`;
      });
    return [path, /\bSymbol\.dispose\b/.test(text) ? `/// <reference lib="esnext.disposable" />\n${text}` : text];
  });
  for (const [path, text] of results) writeFileSync(path, text);
  // Asked for through globalThis, an absent name is no error.
  const aliases = [...used].sort().map((name) => {
    return `export type ${name} = typeof globalThis extends { WebAssembly: { ${name}: { prototype: infer T } } } ? T : object;\n`;
  });
  writeFileSync(join(dist, "webassembly.d.ts"), aliases.join(""));
  writeFileSync(
    join(dist, "wasm.d.ts"),
    `/** The kernels, compiled by the engine or bundler that resolves the import. */
declare const module: import("./webassembly.js").Module;
export default module;
`,
  );
}
