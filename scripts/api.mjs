// Writes api.d.ts: every declaration that the package's entry points export, from the declarations in dist/, without
// comments, in one stable order. It is committed, so that each change of the public surface shows in review.
//   node scripts/api.mjs           writes it
//   node scripts/api.mjs --check   exits with 1 and the difference when it is not what dist/ says
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const report = join(root, "api.d.ts");
const { exports: entries } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const byCodePoint = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

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
/** What a declaration file declares, imports and exports. */
function read(path) {
  const known = files.get(path);
  if (known) return known;
  const file = { path, declared: new Map(), imported: new Map(), exported: new Map(), stars: [], augmentations: [] };
  files.set(path, file);
  const at = (specifier) => {
    if (!specifier.startsWith(".")) throw new Error(`${relative(root, path)} refers to the package ${specifier}`);
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
    } else throw new Error(`${relative(root, path)}: api.mjs cannot read this statement:\n${statement}`);
  }
  return file;
}

/** The names a file exports, those of its `export *` included. */
function exportsOf(path) {
  const { exported, stars } = read(path);
  return new Map([...stars.flatMap((star) => [...exportsOf(star)]), ...exported]);
}

/** The file and name where an exported or imported name is declared. */
function home({ from, name }) {
  if (name === "*") return { from, name };
  const file = read(from);
  if (file.declared.has(name)) return { from, name };
  const next = file.exported.get(name) ?? file.imported.get(name) ?? exportsOf(from).get(name);
  if (!next) throw new Error(`${relative(root, from)} has no declaration of ${name}`);
  return home(next);
}

const indent = (text, by) => text.replace(/^(?=.)/gm, " ".repeat(by));
/** From tsc's indentation by four to the project's by two. */
const halve = (text) => text.replace(/^( {2})+/gm, (spaces) => spaces.slice(spaces.length / 2));
const key = ({ from, name }) => `${relative(root, from)}#${name}`;
const isType = (text) => /^(?:abstract )?(?:class|interface|type|enum)\b|^const \w+: unique symbol/.test(text);

/** Types that a declaration names, by where they are declared. */
function mentioned({ from, name }) {
  const file = read(from);
  const texts = [
    ...(file.declared.get(name) ?? []),
    ...file.augmentations.filter((a) => name === "*" || a.text.includes(name)).map((a) => a.text),
  ];
  const words = new Set(texts.join("\n").match(/[A-Za-z_$][\w$]*/g));
  return [...words]
    .filter((word) => word !== name && (file.declared.has(word) || file.imported.has(word)))
    .map((word) => (file.declared.has(word) ? { from, name: word } : home(file.imported.get(word))))
    .filter((at) => at.name !== "*" && read(at.from).declared.get(at.name).some(isType));
}

const publicNames = new Map(); // key of a declaration -> entry point that lists it
const queue = [];
/** The declarations behind a table of exports; what an earlier entry point listed is only referred to. */
function list(entry, table) {
  const lines = [];
  for (const [name, origin] of [...table].sort(([a], [b]) => byCodePoint(a, b))) {
    const at = home(origin);
    const first = publicNames.get(key(at));
    if (at.name === "*") {
      lines.push(`export namespace ${name} {`, indent(list(entry, exportsOf(at.from)).join("\n"), 4), "}");
    } else if (first !== undefined) {
      lines.push(`export { ${at.name === name ? name : `${at.name} as ${name}`} } from "${first}";`);
    } else {
      publicNames.set(key(at), entry);
      queue.push(at);
      const texts = read(at.from).declared.get(at.name);
      lines.push(...texts.map((text) => (at.name === name ? `export ${text}` : text)));
      if (at.name !== name) lines.push(`export { ${at.name} as ${name} };`);
    }
  }
  return lines;
}

const sections = Object.entries(entries)
  .filter(([subpath, { types }]) => types && subpath !== "./wasm")
  .map(([subpath, { types }]) => {
    const entry = `gradine${subpath.slice(1)}`;
    const lines = list(entry, exportsOf(join(root, types)));
    return `declare module "${entry}" {\n${halve(indent(lines.join("\n"), 4))}\n}`;
  });

// What public declarations name without exporting it is part of the surface too: option types, the fluent methods.
const hidden = new Map();
const visited = new Set();
for (const { path, augmentations } of [...files.values()]) {
  for (const { of, text } of augmentations) {
    const label = `${relative(root, path)}#augments ${relative(root, of)}`;
    hidden.set(label, text.split("\n"));
    queue.push({ from: path, name: "*" });
  }
}
while (queue.length > 0) {
  const at = queue.pop();
  if (visited.has(key(at))) continue;
  visited.add(key(at));
  for (const next of mentioned(at)) {
    if (!publicNames.has(key(next))) hidden.set(key(next), read(next.from).declared.get(next.name));
    queue.push(next);
  }
}
const rest = [...hidden]
  .sort(([a], [b]) => byCodePoint(a, b))
  .map(([where, texts]) => `// ${where}\n${halve(texts.join("\n"))}`);

const banner =
  "// Generated by scripts/api.mjs from dist/. Do not edit. The whole public surface, to be read in review.\n";
const text = `${banner}\n${sections.join("\n\n")}\n\n// Not exported, but named by the above\n${rest.join("\n")}\n`;

if (!process.argv.includes("--check")) {
  writeFileSync(report, text);
} else {
  let committed = "";
  try {
    committed = readFileSync(report, "utf8");
  } catch {
    console.log("api.d.ts does not exist");
  }
  if (committed !== text) {
    const without = (lines, others) => {
      const left = [...others];
      return lines.filter((line) => {
        const i = left.indexOf(line);
        if (i >= 0) left.splice(i, 1);
        return i < 0;
      });
    };
    const [before, after] = [committed.split("\n"), text.split("\n")];
    const changes = [...without(before, after).map((l) => `- ${l}`), ...without(after, before).map((l) => `+ ${l}`)];
    console.log(`api.d.ts is stale (npm run api writes it); ${changes.length} lines differ:`);
    console.log(changes.slice(0, 60).join("\n") || "the order of its lines");
    process.exitCode = 1;
  }
}
