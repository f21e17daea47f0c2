// Calls of kernels as data, so that they can be written to memory for other threads: reads the signatures of the kernels'
// sources, and writes the code that makes such a call.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Functions that a file of assembly/ exports: [name, [[parameter, type], ...], type of the result]. */
export function exportsOf(file) {
  const text = readFileSync(`${root}assembly/${file}.ts`, "utf8");
  const functions = text.matchAll(/^export function (\w+)\(([^)]*)\): (\w+) \{$/gm);
  return Array.from(functions, ([, name, list, result]) => {
    const params = list.matchAll(/(\w+): (\w+)/g);
    return [name, Array.from(params, ([, param, type]) => [param, type]), result];
  });
}

/** All kernels that a call in memory can name: the exports of index.ts and extra.ts, and the parts. */
function callable() {
  const lists = ["index", "extra"].map((file) => readFileSync(`${root}assembly/${file}.ts`, "utf8")).join("");
  const kernels = Array.from(lists.matchAll(/^export \{([^}]*)\} from "\.\/([\w-]+)";$/gm), ([, list, file]) => {
    const names = list.split(",").map((name) => name.trim());
    const functions = exportsOf(file).filter(([name]) => names.includes(name));
    if (functions.length !== names.length) throw new Error(`cannot read the signatures of ${file}.ts`);
    return functions.map((signature) => [...signature, file]);
  });
  const all = [...kernels.flat(), ...exportsOf("parts").map((signature) => [...signature, "parts"])];
  // What gives a fraction (functions of one number) is for the host alone.
  return all.filter(([, , result]) => result !== "f32" && result !== "f64");
}

/** A file that runs call number `kernel` with the arguments at `at`, 8 bytes each. */
export function executeSource() {
  const kernels = callable();
  const imports = kernels.map(([name, , , file]) => `import { ${name} } from "./${file}";\n`);
  const cases = kernels.map(([name, params, result], i) => {
    const value = ([, type], j) => (type === "bool" ? `load<i32>(at, ${8 * j}) != 0` : `load<${type}>(at, ${8 * j})`);
    const call = `${name}(${params.map(value).join(", ")})`;
    return `    case ${i}: ${result === "void" ? `${call}; return 0` : `return <i32>${call}`};\n`;
  });
  return `${imports.join("")}
export function execute(kernel: i32, at: usize): i32 {
  switch (kernel) {
${cases.join("")}  }
  unreachable();
  return 0;
}
`;
}

/** One letter a parameter: f for f32, d for f64, i for all whose 32 bits are an integer's. */
export function signatures() {
  const lines = callable().map(([name, params], i) => {
    const letters = params.map(([, type]) => ({ f32: "f", f64: "d" })[type] ?? "i").join("");
    return `  ${name}: [${i}, "${letters}"],\n`;
  });
  return `/** Numbers of the kernels, and the types of their parameters. */
export const signatures: Readonly<Record<string, readonly [number: number, types: string]>> = {\n${lines.join("")}};\n`;
}
