// The machine and the state of the code, as the results name them.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What the figures depend on beside the code: processor, memory, engine. */
export function machine() {
  const [cpu] = cpus();
  // Virtual machines often hide the model behind a bare brand; family and model number still tell the generation.
  let generation = "";
  try {
    const info = readFileSync("/proc/cpuinfo", "utf8");
    const field = (name) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(info)?.[1];
    generation = ` (family ${field("cpu family")}, model ${field("model")})`;
  } catch {
    // Not Linux: the brand has to do.
  }
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpu.model.trim()}${generation}, ${cpus().length} CPUs, ${memory} GiB, ${process.platform} ${process.arch}, Node ${process.versions.node} (V8 ${process.versions.v8})`;
}

/** A short hash of what is measured, dist/: figures of different builds must not be taken for runs of the same. */
export function build() {
  const dist = fileURLToPath(new URL("../dist/", import.meta.url));
  const hash = createHash("sha256");
  const files = readdirSync(dist, { recursive: true }).filter((file) => /\.(js|wasm)$/.test(file));
  for (const file of files.sort()) hash.update(file).update(readFileSync(join(dist, file)));
  return hash.digest("hex").slice(0, 8);
}
