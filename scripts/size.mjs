// What the package weighs: gzip (level 9) of the wasm file and of programs bundled and minified by esbuild. Exits with 1
// when a ceiling is exceeded. Needs dist/ (npm run build).
//
// The budgets are what the package promises. The one of everything together is exceeded since the whole op set, the layers
// and the training tools are in; until that is mended its ceiling keeps it from growing further unnoticed.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const { exports: entries } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const subpaths = Object.keys(entries)
  .filter((path) => (entries[path].default ?? entries[path]).endsWith(".js"))
  .map((path) => `gradine${path.slice(1)}`);
const all = (...names) => names.map((name, i) => `export * as m${i} from "${name}";`).join("\n");

/** [what, bytes to weigh, budget in KB of 1024 bytes or undefined, ceiling where the budget does not hold yet] */
const table = [
  ["strict.wasm", readFileSync(`${root}dist/strict.wasm`), 32],
  ["fast.wasm", readFileSync(`${root}dist/fast.wasm`), 32],
  ["threads.wasm", readFileSync(`${root}dist/threads.wasm`), 36],
  ["fast-threads.wasm", readFileSync(`${root}dist/fast-threads.wasm`), 36],
  ...(await Promise.all(subpaths.map(async (name) => [name, await bundle(all(name)), undefined]))),
  [
    "gradine + nn + optim + train",
    await bundle(all("gradine", "gradine/nn", "gradine/optim", "gradine/train")),
    90,
    133,
  ],
  ["an MLP and its training", await bundle(readFileSync(`${root}test/platforms/train.js`, "utf8")), 60],
];

/**
 * Bytes of a program as a page would load it: the inlined wasm included, unused code dropped, and without what is loaded on
 * demand (the chunk of the threads).
 */
async function bundle(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    splitting: true,
    outdir: "out",
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    legalComments: "none",
    write: false,
  });
  return Buffer.concat(outputFiles.filter(({ path }) => !isThreads(path)).map((file) => file.contents));
}

/** Whether an output is the chunk of the threads, which its import names so. */
function isThreads(path) {
  return /[\\/]threads-[\w-]+\.js$/.test(path);
}

const kb = (bytes) => (bytes / 1024).toFixed(1).padStart(7);
let exceeded = 0;
console.log(`${"KB".padEnd(30)}${"raw".padStart(7)}${"gzip".padStart(8)}${"budget".padStart(8)}`);
for (const [name, bytes, budget, ceiling = budget] of table) {
  const size = gzipSync(bytes, { level: 9 }).length;
  const over = budget !== undefined && size > budget * 1024;
  const failed = ceiling !== undefined && size > ceiling * 1024;
  if (failed) exceeded++;
  const verdict = failed ? "  over the ceiling" : over ? `  over the budget (ceiling ${ceiling})` : "";
  console.log(`${name.padEnd(30)}${kb(bytes.length)} ${kb(size)}${String(budget ?? "").padStart(8)}${verdict}`);
}
if (exceeded > 0) process.exitCode = 1;
