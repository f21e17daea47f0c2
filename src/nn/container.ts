// Modules that hold modules, and reshaping between layers.
import { describe, rangeError, typeError } from "../error.js";
import { add, cat, flatten, unflatten } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";
import { zeros } from "./init.js";
import { type Given, Layer, settle } from "./layer.js";
import { type AnyModule, Module } from "./module.js";
import { Normalization } from "./norm.js";
import type { Parameter } from "./parameter.js";

/** Throws unless every item is a module; names it, so that its errors say where it stands. */
function checkModules(op: string, modules: readonly unknown[], first = 0): void {
  modules.forEach((module, i) => {
    if (!(module instanceof Module)) {
      throw typeError(op, `layers must be modules: got ${describe(module)} (layer ${first + i})`);
    }
  });
}

/** What lists of modules share: they stand under their positions, `0.weight`. */
abstract class Modules<M extends AnyModule, In, Out> extends Module<In, Out> {
  /** The modules; may be replaced: `model.layers[2] = new Linear(8, 3)`. */
  readonly layers: M[];

  constructor(modules: readonly M[]) {
    super();
    checkModules(this.name, modules);
    this.layers = [...modules];
    // Walked once, so that errors name the layer before anything else walks the model.
    this.modules();
  }

  override nameOf(field: string): string {
    return field === "layers" ? "" : field;
  }

  /** How many there are. */
  get length(): number {
    return this.layers.length;
  }

  /** The module at a position; negative ones count from the end. */
  at(index: number): M {
    const module = this.layers.at(index);
    if (module === undefined) throw rangeError(this.name, `has ${this.length} modules: got index ${index}`);
    return module;
  }

  /** Adds modules at the end and gives this. */
  append(...modules: readonly M[]): this {
    checkModules(this.name, modules, this.length);
    this.layers.push(...modules);
    return this;
  }

  [Symbol.iterator](): Iterator<M> {
    return this.layers[Symbol.iterator]();
  }
}

/** Runs a child; its error gets its path. (The library's own layers see to that themselves.) */
function run<In, Out>(module: Module<In, Out>, input: In): Out {
  try {
    return module.forward(input);
  } catch (error) {
    throw module.located(error);
  }
}

/**
 * Layers one after another; their names are their positions: `0.weight`. PyTorch: `torch.nn.Sequential`.
 *
 * @example
 * import { randn } from "gradine";
 * import { Linear, ReLU, Sequential } from "gradine/nn";
 * const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 2));
 * console.log(model.forward(randn([3, 4])).shape, Object.keys(model.stateDict()));
 */
export class Sequential extends Modules<Module, Tensor, Tensor> {
  static override typeName = "Sequential";

  constructor(...layers: readonly Module[]) {
    super(layers);
  }

  forward(x: Tensor): Tensor {
    let y = x;
    for (const layer of this.layers) y = run(layer, y);
    return y;
  }
}

/** A list of modules that a model's own `forward` runs. PyTorch: `torch.nn.ModuleList`. */
export class ModuleList<M extends AnyModule = Module> extends Modules<M, never, never> {
  static override typeName = "ModuleList";

  constructor(modules: Iterable<M> = []) {
    super([...modules]);
  }

  forward(): never {
    throw typeError("ModuleList", "has no forward pass", "Run its modules in your own forward().");
  }
}

/** Modules by name that a model's own `forward` runs. PyTorch: `torch.nn.ModuleDict`. */
export class ModuleDict<M extends AnyModule = Module> extends Module<never, never> {
  static override typeName = "ModuleDict";
  private readonly entriesByName = new Map<string, M>();

  constructor(modules: Readonly<Record<string, M>> = {}) {
    super();
    for (const [name, module] of Object.entries(modules)) this.set(name, module);
  }

  override nameOf(field: string): string {
    return field === "entriesByName" ? "" : field;
  }

  /** The module of a name. */
  get(name: string): M {
    const module = this.entriesByName.get(name);
    if (module === undefined) {
      throw rangeError(
        "ModuleDict",
        `has no module ${describe(name)}: it has ${[...this.keys()].join(", ") || "none"}`,
      );
    }
    return module;
  }

  /** Puts a module under a name and gives this. */
  set(name: string, module: M): this {
    checkModules("ModuleDict", [module]);
    this.entriesByName.set(name, module);
    return this;
  }

  has(name: string): boolean {
    return this.entriesByName.has(name);
  }

  delete(name: string): boolean {
    return this.entriesByName.delete(name);
  }

  keys(): IterableIterator<string> {
    return this.entriesByName.keys();
  }

  values(): IterableIterator<M> {
    return this.entriesByName.values();
  }

  entries(): IterableIterator<[string, M]> {
    return this.entriesByName.entries();
  }

  forward(): never {
    throw typeError("ModuleDict", "has no forward pass", "Run its modules in your own forward().");
  }
}

/** Options of `Residual`. */
export interface ResidualOptions {
  /**
   * Sets the weight of the block's last normalization to 0, so that the block begins as the shortcut alone (Goyal et al.
   * 2017); default false.
   */
  readonly zeroInit: boolean;
}

/**
 * block(x) + x, or block(x) + shortcut(x) where the block changes the shape (He et al. 2016).
 *
 * @example
 * import { randn } from "gradine";
 * import { Linear, Residual, Sequential, Tanh } from "gradine/nn";
 * const layer = new Residual(new Sequential(new Linear(4, 4), new Tanh()));
 * console.log(layer.forward(randn([2, 4])).shape); // [2, 4]
 */
export class Residual extends Layer {
  static override typeName = "Residual";
  block: Module;
  shortcut: Module | undefined;

  constructor(block: Module, shortcut?: Module, options: Given<ResidualOptions> = {}) {
    super();
    checkModules("Residual", shortcut === undefined ? [block] : [block, shortcut]);
    this.block = block;
    this.shortcut = shortcut;
    if (!settle("Residual", options, { zeroInit: false }).zeroInit) return;
    const norms = block.modules().filter((module) => module instanceof Normalization);
    const last = norms[norms.length - 1] as { weight?: Parameter } | undefined;
    if (last?.weight === undefined)
      throw rangeError("Residual", "zeroInit: the block has no normalization with a weight");
    zeros(last.weight);
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => add(run(this.block, x), this.shortcut === undefined ? x : run(this.shortcut, x)));
  }
}

/** Gives one input to several modules and their outputs as an array. */
export class Parallel extends Modules<Module, Tensor, Tensor[]> {
  static override typeName = "Parallel";

  constructor(...branches: readonly Module[]) {
    super(branches);
  }

  forward(x: Tensor): Tensor[] {
    return this.layers.map((branch) => run(branch, x));
  }
}

/** Gives one input to several modules and joins their outputs along an axis, default 1: channels (Szegedy et al. 2015). */
export class Concat extends Modules<Module, Tensor, Tensor> {
  static override typeName = "Concat";
  readonly dim: number;

  constructor(branches: readonly Module[], options: Given<{ readonly dim: number }> = {}) {
    super(branches);
    this.dim = settle("Concat", options, { dim: 1 }).dim;
  }

  forward(x: Tensor): Tensor {
    return cat(
      this.layers.map((branch) => run(branch, x)),
      this.dim,
    );
  }
}

/** A function as a layer. */
export class Lambda<In = Tensor, Out = Tensor> extends Layer<In, Out> {
  static override typeName = "Lambda";
  readonly fn: (input: In) => Out;

  constructor(fn: (input: In) => Out) {
    super();
    if (typeof fn !== "function") throw typeError("Lambda", `takes a function: got ${describe(fn)}`);
    this.fn = fn;
  }

  forward(input: In): Out {
    return this.guard(() => this.fn(input));
  }
}

/** `[batch, a, b, …] -> [batch, a·b·…]`. PyTorch: `torch.nn.Flatten`. */
export class Flatten extends Layer {
  static override typeName = "Flatten";

  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim = 1, endDim = -1) {
    super();
    this.startDim = startDim;
    this.endDim = endDim;
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => flatten(x, this.startDim, this.endDim));
  }
}

/** `[…, a·b, …] -> […, a, b, …]` at axis `dim`; one size may be −1. PyTorch: `torch.nn.Unflatten`. */
export class Unflatten extends Layer {
  static override typeName = "Unflatten";

  readonly dim: number;
  readonly sizes: readonly number[];

  constructor(dim: number, sizes: readonly number[]) {
    super();
    this.dim = dim;
    this.sizes = sizes;
  }

  forward(x: Tensor): Tensor {
    return this.guard(() => unflatten(x, this.dim, this.sizes));
  }
}
