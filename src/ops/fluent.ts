// Hangs the op functions on Tensor: `relu(matmul(x, w))` can be written `x.matmul(w).relu()`. An op written once is a
// function and a method. The one module with an effect at import.
import { installTape, installWalkOps } from "../tape/index.js";
import { Tensor } from "../tensor/index.js";
import * as ops from "./families.js";
import type { Operand } from "./launch.js";
import type { UniqueOptions } from "./sort.js";
import type { ValuesAndIndices } from "./ties.js";

type Ops = typeof ops;

/** Ops whose first parameter is no tensor are functions only. (The type cannot ask for "a tensor comes first": Tensor is being defined.) */
const onLists = ["cat", "meshgrid", "stack"] as const;

/** Methods whose name cannot be a function's: `var` is a reserved word. */
const renamed = { variance: "var" } as const;
type Renamed = typeof renamed;

/** The methods: an op's parameters without the first. */
type Methods = {
  [Name in Exclude<keyof Ops, (typeof onLists)[number]> as Name extends keyof Renamed
    ? Renamed[Name]
    : Name]: Ops[Name] extends (x: never, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never;
};

/** What the mapping cannot carry over: overloads, and another order of the parameters. */
interface Overloaded {
  max(): Tensor;
  max(
    dim: number | { readonly dim: number; readonly keepdim?: boolean },
    options?: { readonly keepdim?: boolean },
  ): ValuesAndIndices;
  median(): Tensor;
  median(
    dim: number | { readonly dim: number; readonly keepdim?: boolean },
    options?: { readonly keepdim?: boolean },
  ): ValuesAndIndices;
  min(): Tensor;
  min(
    dim: number | { readonly dim: number; readonly keepdim?: boolean },
    options?: { readonly keepdim?: boolean },
  ): ValuesAndIndices;
  nonzero(options?: { readonly asTuple?: false }): Tensor;
  nonzero(options: { readonly asTuple: true }): Tensor[];
  unique(options?: { readonly sorted?: boolean; readonly dim?: number }): Tensor;
  unique(options: UniqueOptions): Tensor | Tensor[];
  /** This tensor where the condition is true, `other` where it is false: the function `where(condition, this, other)`. */
  where(condition: Tensor, other: Operand): Tensor;
}

declare module "../tensor/tensor.js" {
  interface Tensor extends Omit<Methods, keyof Overloaded>, Overloaded {}
}

for (const [name, op] of Object.entries(ops)) {
  if ((onLists as readonly string[]).includes(name)) continue;
  Object.defineProperty(Tensor.prototype, (renamed as Record<string, string>)[name] ?? name, {
    value(this: Tensor, ...rest: never[]) {
      return (op as (...args: unknown[]) => unknown)(this, ...rest);
    },
    configurable: true,
    writable: true,
  });
}
Tensor.prototype.where = function (this: Tensor, condition, other) {
  return ops.where(condition, this, other);
};
installTape();
installWalkOps(ops);
