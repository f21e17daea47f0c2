// Module: what layers and models are made of. Parameters, buffers and children are found by walking fields.
import { checkOptions, describe, show, showBytes, typeError } from "../error.js";
import { copy } from "../ops/index.js";
import { type Shape, sameShape } from "../shape.js";
import { noGrad } from "../tape/index.js";
import { Tensor, zeros } from "../tensor/index.js";
import { Buffer, Parameter } from "./parameter.js";

/** A module's tensors by name, with PyTorch's names and layouts. */
export type StateDict = Record<string, Tensor>;

type AnyModule = Module<never, unknown>;
type Member = Parameter | Buffer | AnyModule;

/** The items of an array, a Map or a plain object; none of anything else. */
function itemsOf(value: object): Iterable<[unknown, unknown]> {
  if (Array.isArray(value)) return value.entries();
  if (value instanceof Map) return value;
  return Object.getPrototypeOf(value) === Object.prototype ? Object.entries(value) : [];
}

/** Walks a field's value: tensors and modules in it, with dotted names. `above`: what it lies in, so that cycles end. */
function* entriesOf(value: unknown, name: string, above: readonly object[] = []): Generator<[string, Member]> {
  if (typeof value !== "object" || value === null) return;
  if (value instanceof Parameter || value instanceof Buffer || value instanceof Module) yield [name, value];
  else if (!above.includes(value)) {
    const within = [...above, value];
    for (const [key, item] of itemsOf(value)) yield* entriesOf(item, `${name}.${String(key)}`, within);
  }
}

/** Each module's name in the model it was last found in, for errors. No field: `path` may be the name of a layer. */
const paths = new WeakMap<AnyModule, string>();

/** A part that is walked by itself keeps its longer name: "layers.2" and not "2". */
function notePath(module: AnyModule, path: string): void {
  const known = paths.get(module) ?? "";
  if (path !== "" && path !== known && !known.endsWith(`.${path}`)) paths.set(module, path);
}

const join = (prefix: string, name: string): string => (prefix === "" ? name : `${prefix}.${name}`);

/**
 * The base of layers and models. A model is a class with layers in its fields and a `forward`.
 *
 * Fields that hold a `Parameter`, a `buffer()`, a module, or arrays, Maps and plain objects of these are part of the
 * model, under PyTorch's names (`layers.0.weight`). PyTorch: `torch.nn.Module`.
 *
 * @example
 * import { randn } from "gradine";
 * import { Linear, Module } from "gradine/nn";
 * class Net extends Module {
 *   hidden = new Linear(4, 8);
 *   out = new Linear(8, 2);
 *   forward(x) {
 *     return this.out.forward(this.hidden.forward(x).relu());
 *   }
 * }
 * console.log(new Net().forward(randn([3, 4])).shape); // [3, 2]
 */
export abstract class Module<In = Tensor, Out = Tensor> {
  static typeName = "Module";
  /** Whether the module trains (dropout drops, batch norm uses the batch); set by `train()` and `eval()`. */
  training = true;

  /** The output for an input. */
  abstract forward(input: In): Out;

  /** @internal What `entriesOf` walks; containers name their children themselves. */
  protected fields(): Iterable<[string, unknown]> {
    return Object.entries(this);
  }

  private *members(prefix: string): Generator<[string, Member]> {
    for (const [name, value] of this.fields()) yield* entriesOf(value, join(prefix, name));
  }

  /** `[name, module]` of this module ("") and all within it, each once. */
  *namedModules(prefix = "", seen = new Set<AnyModule>()): Generator<[string, AnyModule]> {
    if (seen.has(this)) return;
    seen.add(this);
    notePath(this, prefix);
    yield [prefix, this];
    for (const [name, value] of this.members(prefix))
      if (value instanceof Module) yield* value.namedModules(name, seen);
  }

  private *namedTensors(): Generator<[string, Parameter | Buffer]> {
    const seen = new Set<unknown>();
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, value] of module.members(prefix)) {
        if (value instanceof Module || seen.has(value)) continue;
        seen.add(value);
        yield [name, value];
      }
    }
  }

  /** As `namedTensors`, but a shared tensor under each of its names. `above`: the modules this one lies in. */
  private *everyName(prefix: string, above: readonly AnyModule[]): Generator<[string, Parameter | Buffer]> {
    const within = [...above, this];
    const members = [...this.members(prefix)];
    for (const [name, value] of members) if (!(value instanceof Module)) yield [name, value];
    for (const [name, value] of members)
      if (value instanceof Module && !within.includes(value)) yield* value.everyName(name, within);
  }

  /** `[name, Parameter]`, each parameter once. */
  *namedParameters(): Generator<[string, Parameter]> {
    for (const [name, value] of this.namedTensors()) if (value instanceof Parameter) yield [name, value];
  }

  /** All parameters, each once. */
  parameters(): Parameter[] {
    return Array.from(this.namedParameters(), ([, parameter]) => parameter);
  }

  /** `[name, buffer]`. */
  *namedBuffers(): Generator<[string, Buffer]> {
    for (const [name, value] of this.namedTensors()) if (value instanceof Buffer) yield [name, value];
  }

  /** All buffers. */
  buffers(): Buffer[] {
    return Array.from(this.namedBuffers(), ([, value]) => value);
  }

  /** This module and all within it. */
  modules(): AnyModule[] {
    return Array.from(this.namedModules(), ([, module]) => module);
  }

  /** `[name, module]` of the modules directly within. */
  *namedChildren(): Generator<[string, AnyModule]> {
    for (const [name, value] of this.members("")) if (value instanceof Module) yield [name, value];
  }

  /** The modules directly within. */
  children(): AnyModule[] {
    return Array.from(this.namedChildren(), ([, module]) => module);
  }

  /** Calls `fn` with this module and all within it, and gives this. */
  apply(fn: (module: AnyModule) => void): this {
    for (const module of this.modules()) fn(module);
    return this;
  }

  /** Switches to training, or from it, and gives this. */
  train(mode = true): this {
    return this.apply((module) => {
      module.training = mode;
    });
  }

  /** Switches to evaluation and gives this. */
  eval(): this {
    return this.train(false);
  }

  /** Freezes all parameters (`false`) or thaws them, and gives this. */
  requiresGrad(on = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = on;
    return this;
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /**
   * Parameters and persistent buffers by name; the tensors themselves, not copies. A shared one stands under each of its
   * names, as in PyTorch.
   */
  stateDict(): StateDict {
    const state: StateDict = {};
    for (const [name, value] of this.everyName("", [])) {
      if (value instanceof Parameter || value.persistent) state[name] = value;
    }
    return state;
  }

  /**
   * Copies values into this module's tensors.
   *
   * @param options `strict` (default true): every name must be there, and no other.
   * @returns the names that were missing or unexpected (empty when strict).
   * @throws Error that lists every missing, unexpected and mis-shaped name; nothing is changed then.
   */
  loadStateDict(
    state: StateDict,
    options: { readonly strict?: boolean } = {},
  ): { readonly missing: readonly string[]; readonly unexpected: readonly string[] } {
    checkOptions("loadStateDict", options, ["strict"]);
    if (typeof state !== "object" || state === null)
      throw typeError("loadStateDict", `takes { name: tensor }: got ${describe(state)}`);
    const own = this.stateDict();
    const missing = Object.keys(own).filter((name) => !Object.hasOwn(state, name));
    const unexpected = Object.keys(state).filter((name) => !Object.hasOwn(own, name));
    const problems: string[] = [];
    if (options.strict ?? true) {
      if (missing.length > 0) problems.push(`missing: ${missing.join(", ")}`);
      if (unexpected.length > 0) problems.push(`unexpected: ${unexpected.join(", ")}`);
    }
    const matching = Object.entries(own).filter(([name]) => Object.hasOwn(state, name));
    for (const [name, mine] of matching) {
      const given = state[name]!;
      if (!(given instanceof Tensor)) problems.push(`${name}: not a tensor but ${describe(given)}`);
      else if (given.released) problems.push(`${name}: the tensor was released`);
      else if (!sameShape(given.shape, mine.shape) || given.dtype !== mine.dtype) {
        problems.push(`${name}: ${given.dtype} ${show(given.shape)} where ${mine.dtype} ${show(mine.shape)} belongs`);
      }
    }
    if (problems.length > 0) {
      throw new Error(
        `loadStateDict: the state does not fit ${this.name}: ${problems.join("; ")}. Nothing was changed.`,
      );
    }
    noGrad(() => {
      for (const [name, mine] of matching) copy(mine, state[name]!);
    });
    return { missing, unexpected };
  }

  /** @internal The class's lasting name (minifiers rename classes). */
  get name(): string {
    const type = this.constructor as typeof Module;
    return Object.hasOwn(type, "typeName") ? type.typeName : type.name;
  }

  /** What stands in the parentheses of a layer's text. */
  protected extraText(): string {
    return "";
  }

  /** The module and all within it, indented, as PyTorch prints them. */
  toString(): string {
    const children = [...this.namedChildren()];
    if (children.length === 0) return `${this.name}(${this.extraText()})`;
    const lines = children.map(([name, child]) => `  (${name}): ${child.toString().replaceAll("\n", "\n  ")}`);
    return `${this.name}(\n${lines.join("\n")}\n)`;
  }

  /** @internal An error of this layer, with its path in the model put before the message. */
  located(error: unknown): unknown {
    const path = paths.get(this);
    if (error instanceof Error && path !== undefined && !located.has(error)) {
      located.add(error);
      error.message = `${path} (${this.name}): ${error.message}`;
    }
    return error;
  }

  /**
   * A table of layers: path, type, shape of the output, parameters, and their bytes.
   *
   * @param inputShape shape of an input, with its batch axis; the model is run once on zeros, without recording.
   * @example
   * import { Linear, ReLU, Sequential } from "gradine/nn";
   * console.log(new Sequential(new Linear(64, 32), new ReLU(), new Linear(32, 10)).summary([1, 64]));
   */
  summary(inputShape: Shape): string {
    const rows: string[][] = [];
    const shapes = new Map<AnyModule, string>();
    const named = [...this.namedModules()];
    const owned = named.map(([, module]) => Object.getOwnPropertyDescriptor(module, "forward"));
    for (const [, module] of named) {
      const { forward } = module;
      // An own property hides the method for this one run.
      module.forward = (input: never) => {
        const output = forward.call(module, input);
        if (output instanceof Tensor) shapes.set(module, show(output.shape));
        return output;
      };
    }
    const modes = named.map(([, module]) => module.training);
    try {
      this.eval();
      noGrad(() => void (this as unknown as Module).forward(zeros(inputShape)));
    } finally {
      for (const [i, [, module]] of named.entries()) {
        delete (module as { forward?: unknown }).forward;
        if (owned[i] !== undefined) Object.defineProperty(module, "forward", owned[i]);
        module.training = modes[i]!;
      }
    }
    for (const [path, module] of named) {
      const children = module.children().length > 0;
      const own = module.parameters().reduce((n, parameter) => n + parameter.numel, 0);
      const indent = "  ".repeat(path === "" ? 0 : path.split(".").length);
      const count = children && path !== "" ? "" : own.toLocaleString("en-US");
      rows.push([`${indent}${path === "" ? this.name : path}`, module.name, shapes.get(module) ?? "", count]);
    }
    const header = ["layer", "type", "output", "parameters"];
    const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
    const line = (cells: readonly string[]) =>
      cells
        .map((cell, i) => (i === 3 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join("  ")
        .trimEnd();
    const total = this.parameters().reduce((n, parameter) => n + parameter.numel, 0);
    const trained = this.parameters().reduce((n, parameter) => n + (parameter.requiresGrad ? parameter.numel : 0), 0);
    return [
      line(header),
      widths.map((width) => "-".repeat(width)).join("  "),
      ...rows.map(line),
      `${total.toLocaleString("en-US")} parameters (${trained.toLocaleString("en-US")} trained), ${showBytes(4 * total)}`,
    ].join("\n");
  }
}

const located = new WeakSet<Error>();
