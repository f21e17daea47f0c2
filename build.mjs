// Builds dist/ from assembly/ and src/: kernels, bundled modules, declarations. Run by `prepare`, hence by npm ci and npm pack.
//   node build.mjs            always builds
//   node build.mjs --stale    builds only when a source is newer than dist/ (`npm test` begins with it)
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
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
  setup: (b) =>
    b.onLoad({ filter: /@assemblyscript[\\/]loader[\\/]index\.js$/ }, async ({ path }) => ({
      contents: unusedOfLoader.reduce(
        (text, [part, kept]) => {
          if (!part.test(text)) throw new Error(`@assemblyscript/loader is not what build.mjs expects: no ${part}`);
          return text.replace(part, kept);
        },
        await readFile(path, "utf8"),
      ),
    })),
};

/**
 * `export * as init` would become an object with all of the namespace's functions, which no bundler can take apart. So the
 * namespace is a file of its own, which the output imports as such: programs keep the functions they use.
 */
const namespaces = ["src/nn/init.ts"];
const mark = "namespace:";
const keepNamespaces = {
  name: "keep-namespaces",
  setup: (b) =>
    b.onResolve({ filter: /\/init\.js$/ }, ({ path, importer }) => {
      const file = relative(root, join(dirname(importer), path))
        .replaceAll("\\", "/")
        .replace(/\.js$/, ".ts");
      const reexported = namespaces.includes(file) && importer.endsWith("index.ts");
      return reexported ? { path: mark + file, external: true } : undefined;
    }),
};
/** The marks replaced by where the namespaces lie, seen from an output file. */
const placeNamespaces = (path, text) =>
  namespaces.reduce((t, file) => {
    const to = join(dist, file.replace("src/", "").replace(/\.ts$/, ".js"));
    return t.replaceAll(`"${mark}${file}"`, JSON.stringify(`./${relative(dirname(path), to).replaceAll("\\", "/")}`));
  }, text);

/**
 * Where a class `A` names itself, esbuild writes `var A = class _A { ... _A ... }`, and `_A` is what its instances print.
 * Takes that back. Relies on esbuild's own output: top-level statements begin in column 0, and so do their ends.
 */
const restoreClassNames = (text) =>
  text.replace(/^var (\w+) = class (_\w+)\b.*?^\};$/gms, (statement, name, inner) =>
    statement.replaceAll(new RegExp(`\\b${inner}\\b`, "g"), name),
  );

/** The kernels that are loaded on demand: where they lie, seen from an output file. */
const placeKernels = (path, text) =>
  text.replaceAll(/new URL\("\.\/generated\/(\w[\w-]*\.wasm)", import\.meta\.url\)/g, (_, file) => {
    const to = relative(dirname(path), join(dist, file)).replaceAll("\\", "/");
    return `new URL("${to.startsWith(".") ? to : `./${to}`}", import.meta.url)`;
  });

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

  // `splitting` is what makes the entry points share one copy of the kernels, hence one heap. No minification: names
  // in stack traces stay readable, and whoever bundles for a page minifies then. No source maps: they would repeat the
  // text of the wasm, and point at files that the package does not hold.
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [...entryPoints, ...namespaces],
    outbase: "src",
    outdir: dist,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    chunkNames: "chunks/[name]-[hash]",
    legalComments: "none",
    plugins: [trimLoader, keepNamespaces],
    logLevel: "warning",
    write: false,
  });
  // Chunks carry a hash in their name: without this, those of earlier builds would be packed too.
  rmSync(dist, { recursive: true, force: true });
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, placeKernels(path, placeNamespaces(path, restoreClassNames(text))));
  }
  // A worker's script is found from where it is named.
  for (const { path, text } of outputFiles) {
    if (text.includes('new URL("./thread.js", import.meta.url)')) {
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
