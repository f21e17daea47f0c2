// Splits the compiled kernels into two modules on one memory: the core, and the kernels that a program may never call.
// The second imports from the first what both need, so that nothing exists twice.
import binaryen from "binaryen";

const range = (n) => Array.from({ length: n }, (_, i) => i);
const functions = (module) =>
  range(module.getNumFunctions()).map((i) => binaryen.getFunctionInfo(module.getFunctionByIndex(i)));

/** The module with only those of its exports that `keeps` admits, and what they reach. */
function prune(module, keeps) {
  const names = range(module.getNumExports()).map((i) => binaryen.getExportInfo(module.getExportByIndex(i)).name);
  for (const name of names) if (!keeps(name)) module.removeExport(name);
  module.runPasses(["remove-unused-module-elements"]);
}

/**
 * `wasm` as { core, rest }: the exports named in `rare` move to `rest`, which imports memory from "env" and shared
 * functions and the table from "core". Data stay with the core, which is instantiated first, at the same addresses.
 */
export function split(wasm, rare) {
  const read = (source) => {
    const module = typeof source === "string" ? binaryen.parseText(source) : binaryen.readBinary(source);
    module.setFeatures(binaryen.Features.All);
    return module;
  };
  const core = read(wasm);
  prune(core, (name) => !rare.has(name));
  const kept = new Set(functions(core).map(({ name }) => name));

  const whole = read(wasm);
  const rest = read(whole.emitText().replace(/^ \((?:data|elem) .*\n/gm, ""));
  whole.dispose();
  prune(rest, (name) => rare.has(name));
  const usesTable = rest.getNumTables() > 0;
  for (const { name, params, results } of functions(rest).filter(({ name }) => kept.has(name))) {
    rest.removeFunction(name);
    rest.addFunctionImport(name, "core", name, params, results);
  }
  if (usesTable) {
    const { name } = binaryen.getTableInfo(rest.getTableByIndex(0));
    rest.addTableImport(name, "core", "table");
    core.addTableExport(binaryen.getTableInfo(core.getTableByIndex(0)).name, "table");
  }
  prune(rest, (name) => rare.has(name));
  for (const { name, module } of functions(rest)) if (module === "core") core.addFunctionExport(name, name);
  const modules = { core: core.emitBinary(), rest: rest.emitBinary() };
  core.dispose();
  rest.dispose();
  return modules;
}
