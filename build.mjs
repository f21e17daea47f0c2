// Builds dist/ from assembly/ and src/: kernels, bundled modules, declarations. Run by `prepare`, hence by npm ci and npm pack.
//   node build.mjs            always builds
//   node build.mjs --stale    builds only when a source is newer than dist/ (`npm test` begins with it)
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { finishDeclarations } from "./scripts/declarations.mjs";

const root = fileURLToPath(new URL(".", import.meta.url));
const dist = join(root, "dist");
const { exports: entries } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

/** src/nn/index.ts for "./dist/nn/index.js": package.json's exports are the one list of entry points. */
const entryPoints = Object.values(entries)
  .map((entry) => entry.default ?? entry)
  .filter((path) => path.startsWith("./dist/") && path.endsWith(".js"))
  .map((path) => path.replace("./dist/", "src/").replace(/\.js$/, ".ts"));

/**
 * Of @assemblyscript/loader, `instantiateSync(module, imports).instance` is used, on kernels that import their memory and
 * nothing else, export functions only and know no strings or classes. What it does beyond that, before and after, is half
 * as long as all of the memory and the tape: default imports, reading strings (a TextDecoder constructed at import, which a
 * bare `vm` context does not have), friendly objects for exported classes. The copy in dist/ does without, and bundlers
 * then drop what these two functions called.
 */
const unusedOfLoader = [
  [/(function preInstantiate\(imports\) )\{.*?^\}/ms, "$1{ return {}; }"],
  [/(function postInstantiate\(extendedExports, instance\) )\{.*?^\}/ms, "$1{ return instance.exports; }"],
  [/^const utf16 = (?=new TextDecoder)/m, "const utf16 = /* @__PURE__ */ "],
  [/^Object\.hasOwn = .*?^\};/ms, ""],
];
const trimLoader = {
  name: "trim-loader",
  load: {
    filter: { id: /@assemblyscript[\\/]loader[\\/]index\.js$/ },
    handler: async (path) =>
      unusedOfLoader.reduce(
        (text, [part, kept]) => {
          if (!part.test(text)) throw new Error(`@assemblyscript/loader is not what build.mjs expects: no ${part}`);
          return text.replace(part, kept);
        },
        await readFile(path, "utf8"),
      ),
  },
};

/**
 * `export * as init` would become an object with all of the namespace's functions, which no bundler can take apart. So the
 * namespace is a file of its own, which the output imports as such: programs keep the functions they use.
 */
const namespaces = ["src/nn/init.ts"];
const mark = "namespace:";
const keepNamespaces = {
  name: "keep-namespaces",
  resolveId: {
    filter: { id: /\/init\.js$/ },
    handler(id, importer) {
      const file = relative(root, join(dirname(importer), id))
        .replaceAll("\\", "/")
        .replace(/\.js$/, ".ts");
      const reexported = namespaces.includes(file) && importer.endsWith("index.ts");
      return reexported ? { id: mark + file, external: true } : undefined;
    },
  },
};
/** The marks replaced by where the namespaces lie, seen from an output file. */
const placeNamespaces = (path, text) =>
  namespaces.reduce((t, file) => {
    const to = file.replace("src/", "").replace(/\.ts$/, ".js");
    return t.replaceAll(`"${mark}${file}"`, JSON.stringify(`./${relative(dirname(path), to).replaceAll("\\", "/")}`));
  }, text);

/** The kernels that are loaded on demand: where they lie, seen from an output file. */
const placeKernels = (path, text) =>
  text.replaceAll(/new URL\("\.\/generated\/(\w[\w-]*\.wasm)", import\.meta\.url\)/g, (_, file) => {
    const to = relative(dirname(path), file).replaceAll("\\", "/");
    return `new URL("${to.startsWith(".") ? to : `./${to}`}", import.meta.url)`;
  });

/**
 * What all entry points share: one file, since each file costs a program as much time to load as 30 KB
 * more of code. (Of the ops, those of recurrent layers are not exported by themselves.)
 */
const inCore =
  /[\\/]src[\\/](?:(?:error|shape)\.ts|kernels[\\/](?!threads|generated[\\/]signatures)|memory|tensor|tape|ops[\\/](?!recurrent))|[\\/]@assemblyscript[\\/]/;

/**
 * Rolldown keeps off the names of globals: `var Buffer$1 = class extends Tensor`. Such a class gets its own name back, which
 * its instances print.
 */
const restoreClassNames = (text) => text.replace(/^var (\w+)(\$\d+) = class (?:\1\2 )?/gm, "var $1$2 = class $1 ");

/**
 * A namespace that a program loops over is an object with a getter for each of its members, and engines compile every one.
 * As a plain object it is there at once. It must come after what it holds, which functions always are.
 */
const plainNamespaces = (text) =>
  text.replace(/\/\* @__PURE__ \*\/ __exportAll\((\{[^}]*\})\)/g, (_, members, at) => {
    for (const [, member] of members.matchAll(/=> ([\w$]+)/g)) {
      if (new RegExp(`^(?:var|const|let) ${member.replace("$", "\\$")} =`, "m").test(text.slice(at))) {
        throw new Error(`a namespace holds ${member} before it is there`);
      }
    }
    return members.replaceAll(": () => ", ": ");
  });

/** Engines read text that is ASCII faster. Other characters stand in strings and templates only. */
const asciiOnly = (text) =>
  text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

function newestIn(path) {
  if (!statSync(path).isDirectory()) return statSync(path).mtimeMs;
  const names = readdirSync(path).filter((name) => name !== "generated");
  return Math.max(0, ...names.map((name) => newestIn(join(path, name))));
}

function isStale() {
  // The declarations are written last: when they are there, the build was not interrupted.
  const last = join(dist, "wasm.d.ts");
  if (!existsSync(last) || !existsSync(join(root, "src/kernels/generated/debug.ts"))) return true;
  const built = statSync(last).mtimeMs;
  const sources = [
    "assembly",
    "src",
    "build.mjs",
    "package.json",
    "tsconfig.json",
    "tsconfig.build.json",
    "asconfig.json",
  ];
  return sources.some((path) => newestIn(join(root, path)) > built);
}

async function buildAll() {
  const missing = entryPoints.filter((path) => !existsSync(join(root, path)));
  if (missing.length > 0) throw new Error(`package.json exports what no source file builds: ${missing.join(", ")}`);
  await import("./assembly/emit.mjs");

  // Half of what a program waits for from a cold start is the engine reading this code, so it is compressed and its local
  // variables have short names. But functions, classes and lines stay as they are, for stack traces, and whoever bundles
  // for a page minifies the rest. No source maps: they would repeat the text of the wasm, and point at files that the
  // package does not hold.
  const bundle = await rolldown({
    cwd: root,
    input: Object.fromEntries([...entryPoints, ...namespaces].map((path) => [path.slice(4, -3), path])),
    platform: "neutral",
    resolve: { mainFields: ["module", "main"] },
    // An entry point may hold what others take from it, where a file between them would only cost time.
    preserveEntrySignatures: "allow-extension",
    plugins: [trimLoader, keepNamespaces],
  });
  const { output } = await bundle.generate({
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
    codeSplitting: { groups: [{ name: "core", test: inCore, includeDependenciesRecursively: false }] },
    comments: { legal: false, jsdoc: false, annotation: true },
    minify: {
      compress: { target: "es2022", sequences: false, joinVars: false, keepNames: { function: true, class: true } },
      mangle: { toplevel: false, keepNames: true },
      codegen: { removeWhitespace: false },
    },
  });
  // Chunks carry a hash in their name: without this, those of earlier builds would be packed too.
  rmSync(dist, { recursive: true, force: true });
  for (const { fileName, code } of output) {
    const path = join(dist, fileName);
    mkdirSync(dirname(path), { recursive: true });
    const plain = asciiOnly(plainNamespaces(restoreClassNames(code)));
    writeFileSync(path, placeKernels(fileName, placeNamespaces(fileName, plain)));
    // A worker's script is found from where it is named.
    if (code.includes('new URL("./thread.js", import.meta.url)')) {
      copyFileSync(join(root, "src/kernels/threads/thread.js"), join(dirname(path), "thread.js"));
    }
  }
  const generated = join(root, "src/kernels/generated");
  for (const file of readdirSync(generated).filter((name) => name.endsWith(".wasm"))) {
    copyFileSync(join(generated, file), join(dist, file));
  }

  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  const { status } = spawnSync(process.execPath, [tsc, "-p", join(root, "tsconfig.build.json")], { stdio: "inherit" });
  if (status !== 0) throw new Error(`tsc -p tsconfig.build.json failed with status ${status}`);
  finishDeclarations(dist);
}

if (!process.argv.includes("--stale") || isStale()) await buildAll();
