// The table that Module.summary prints.

import { show, showBytes } from "../error.js";
import { checkShape } from "../shape.js";
import { Tensor, zeros } from "../tensor/index.js";
import { evaluating } from "./modes.js";
import type { AnyModule } from "./module.js";
import { Parameter } from "./parameter.js";

const count = (n: number): string => n.toLocaleString("en-US");
const total = (tensors: readonly Tensor[]): number => tensors.reduce((n, x) => n + x.numel, 0);

const tensorsOf = (module: AnyModule): Tensor[] => [...module.parameters(), ...module.buffers()];

/** The first tensor of an output: recurrent layers and attention give arrays. */
const firstOf = (output: unknown): Tensor | undefined =>
  output instanceof Tensor ? output : Array.isArray(output) ? firstOf(output[0]) : undefined;

export function summaryOf(model: AnyModule, input: readonly number[] | Tensor | readonly Tensor[]): string {
  const named = [...model.namedModules()];
  const seen = new Map(named.map(([, module]) => [module, { shape: "", work: 0, bytes: 0 }]));
  const removers = named.map(([, module]) =>
    module.registerForwardHook((_, inputs, output) => {
      const row = seen.get(module)!;
      const first = firstOf(output);
      if (first !== undefined) row.shape = show(first.shape);
      row.work += module.multiplyAdds(inputs, output);
      if (first !== undefined && module.children().length === 0) row.bytes += 4 * first.numel;
    }),
  );
  try {
    evaluating(model, () => {
      const inputs =
        input instanceof Tensor
          ? [input]
          : input.some((item) => item instanceof Tensor)
            ? input
            : [zeros(checkShape("summary", input))];
      (model.forward as (...inputs: readonly unknown[]) => unknown)(...inputs);
    });
  } finally {
    for (const remove of removers) remove();
  }
  const sum = (key: "work" | "bytes") => [...seen.values()].reduce((n, row) => n + row[key], 0);
  const rows = named.map(([path, module]) => {
    const { shape, work } = seen.get(module)!;
    // A layer's figures are its own; those of the layers within it follow. The model's row has the totals.
    const within = new Set<Tensor>(path === "" ? [] : module.children().flatMap(tensorsOf));
    const own = tensorsOf(module).filter((x) => !within.has(x));
    const parameters = total(own.filter((x) => x instanceof Parameter));
    const figures = [
      own.length === 0 && module.children().length > 0 ? "" : count(parameters),
      path === "" ? count(sum("work")) : work === 0 ? "" : count(work),
      own.length === 0 ? "" : showBytes(4 * total(own)),
    ];
    const indent = "  ".repeat(path === "" ? 0 : path.split(".").length);
    return [`${indent}${path === "" ? module.name : path}`, module.name, shape, ...figures];
  });
  const header = ["layer", "type", "output", "parameters", "multiply-adds", "bytes"];
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i > 2 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd();
  const all = tensorsOf(model);
  const parameters = all.filter((x) => x instanceof Parameter);
  const trained = total(parameters.filter((x) => x.requiresGrad));
  return [
    line(header),
    widths.map((width) => "-".repeat(width)).join("  "),
    ...rows.map(line),
    `${count(total(parameters))} parameters (${count(trained)} trained), ${showBytes(4 * total(all))}; ` +
      `${count(sum("work"))} multiply-adds and ${showBytes(sum("bytes"))} of outputs a pass`,
  ].join("\n");
}
