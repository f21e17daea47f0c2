// Packs the package, installs the tarball into an empty project without a network, and uses it there as a stranger would:
// from TypeScript without lib "dom", and in Node; then publint and attw judge the tarball. Needs dist/ (npm run build).
// The linters have a package.json of their own, test/package/, whose npm ci this script runs when it was not run yet.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Checks } from "./checks.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const linters = join(root, "test/package");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");

/** Output of a command; its whole output becomes the error when it fails. */
function run(command, args, cwd) {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")}\n${error.stdout ?? ""}${error.stderr ?? error.message}`);
  }
}

const program = `import { manualSeed, randn, steps, type Tensor, tensor } from "gradine";
import * as data from "gradine/data";
import * as io from "gradine/io";
import { Linear, MSELoss } from "gradine/nn";
import { SGD } from "gradine/optim";
import * as train from "gradine/train";
import type wasm from "gradine/wasm";

declare const console: { log(text: string): void };
export type Compiled = typeof wasm;

manualSeed(1);
const x: Tensor = randn([32, 2]);
const y: Tensor = x.matmul(tensor([1, -2], { shape: [2, 1] })).add(0.5);
const model = new Linear(2, 1);
const criterion = new MSELoss();
const optimizer = new SGD(model.parameters(), { lr: 0.1 });
let last = Number.POSITIVE_INFINITY;
for (const _ of steps(200)) {
  optimizer.zeroGrad();
  const loss = criterion.forward(model.forward(x), y);
  loss.backward();
  optimizer.step();
  last = loss.item();
}
if (!(last < 1e-6)) throw new Error(\`the loss is \${last}\`);
if ([data, io, train].some((module) => Object.keys(module).length === 0)) throw new Error("an entry point is empty");
console.log("loss below 1e-6");
`;

const checks = new Checks();
const temp = mkdtempSync(join(tmpdir(), "gradine-pack-"));
const consumer = join(temp, "consumer");
let tarball;

await checks.run("npm pack", () => {
  const output = run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", temp], root);
  const report = JSON.parse(output);
  const { filename, files, size, unpackedSize } = Array.isArray(report) ? report[0] : Object.values(report)[0];
  tarball = join(temp, filename);
  const packed = new Set(files.map(({ path }) => path));
  const wanted = Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === "string" ? [entry] : Object.values(entry),
  );
  const missing = [...wanted.map((path) => path.replace("./", "")), "LICENSE", "README.md"].filter(
    (path) => !packed.has(path),
  );
  if (missing.length > 0) throw new Error(`the tarball lacks ${missing.join(", ")}`);
  const stray = [...packed].filter((path) => !/^(dist\/.*|package\.json|[A-Z]+(\.md)?)$/.test(path));
  if (stray.length > 0) throw new Error(`the tarball holds ${stray.join(", ")}`);
  return `${packed.size} files, ${Math.round(size / 1024)} KB, unpacked ${Math.round(unpackedSize / 1024)} KB`;
});

await checks.run("npm install of the tarball", () => {
  mkdirSync(consumer);
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], consumer);
  const installed = readdirSync(join(consumer, "node_modules")).filter((name) => !name.startsWith("."));
  if (installed.join() !== "gradine")
    throw new Error(`it installs ${installed.join(", ")}; it is to have no dependency`);
  writeFileSync(join(consumer, "main.ts"), program);
});

for (const [module, moduleResolution] of [
  ["nodenext", "nodenext"],
  ["esnext", "bundler"],
]) {
  await checks.run(`types, ${moduleResolution}`, () => {
    const config = {
      // skipLibCheck would hide a declaration file that asks for "dom" or for a newer library.
      compilerOptions: {
        module,
        moduleResolution,
        target: "es2022",
        lib: ["es2022"],
        types: [],
        strict: true,
        skipLibCheck: false,
        outDir: "out",
      },
      files: ["main.ts"],
    };
    writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify(config));
    run(process.execPath, [tsc, "-p", consumer], consumer);
  });
}

await checks.run("run in Node", () => run(process.execPath, ["out/main.js"], consumer).trim());

await checks.run("what is not exported", () => {
  writeFileSync(join(consumer, "inside.mjs"), 'await import("gradine/dist/index.js");');
  try {
    run(process.execPath, ["inside.mjs"], consumer);
  } catch (error) {
    if (error.message.includes("ERR_PACKAGE_PATH_NOT_EXPORTED")) return "is out of reach";
    throw error;
  }
  throw new Error("gradine/dist/index.js can be imported");
});

await checks.run("npm ci of the linters", () => {
  if (existsSync(join(linters, "node_modules/.package-lock.json"))) return "was done";
  run("npm", ["ci", "--no-audit", "--no-fund"], linters);
});

const linter = (name) => join(linters, "node_modules/.bin", name);
await checks.run("publint", () => void run(linter("publint"), ["run", tarball, "--strict"], consumer));
await checks.run("are the types wrong", () => void run(linter("attw"), [tarball, "--profile", "esm-only"], consumer));

rmSync(temp, { recursive: true, force: true });
checks.end();
