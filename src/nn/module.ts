// Module: what layers and models are made of. Parameters, buffers and children are found by walking fields.
import { checkOptions, describe, rangeError, show, typeError } from "../error.js";
import { copy } from "../ops/index.js";
import { type Shape, sameShape } from "../shape.js";
import { noGrad } from "../tape/index.js";
import { Tensor, tensor } from "../tensor/index.js";
import { type ForwardHook, type ForwardPreHook, hooksFor } from "./hooks.js";
import { Buffer, Parameter, takeBuffer, takeParameter } from "./parameter.js";
import { summaryOf } from "./summary.js";

/** A module's tensors by name, with PyTorch's names and layouts. */
export type StateDict = Record<string, Tensor>;

/** Any module, whatever it takes and gives. */
export type AnyModule = Module<never, unknown>;

/** A tensor or module of a module: its name there, and the field, array, Map or object that holds it. */
interface Slot<Value = Parameter | Buffer | AnyModule> {
  readonly name: string;
  readonly value: Value;
  readonly holder: object;
  readonly key: PropertyKey;
}

const join = (prefix: string, name: PropertyKey): string =>
  prefix === "" ? String(name) : `${prefix}.${String(name)}`;

const isPlain = (value: object): boolean => Object.getPrototypeOf(value) === Object.prototype;

/** The items of an array, a Map or a plain object; none of anything else. */
function itemsOf(value: object): Iterable<[PropertyKey, unknown]> {
  if (Array.isArray(value)) return value.entries();
  if (value instanceof Map) return value;
  return isPlain(value) ? Object.entries(value) : [];
}

/** Walks a field's value: tensors and modules in it, with dotted names. `above`: what it lies in, so that cycles end. */
function* slotsIn(
  value: unknown,
  name: string,
  holder: object,
  key: PropertyKey,
  above: readonly object[] = [],
): Generator<Slot> {
  if (typeof value !== "object" || value === null) return;
  if (value instanceof Parameter || value instanceof Buffer || value instanceof Module) {
    yield { name, value, holder, key };
  } else if (!above.includes(value)) {
    for (const [k, item] of itemsOf(value)) yield* slotsIn(item, join(name, k), value, k, [...above, value]);
  }
}

// What follows are functions and WeakMaps, not methods and fields: their names are free for a model's layers.

/** The tensors and modules directly within a module. */
function* membersOf(module: AnyModule): Generator<Slot> {
  for (const [field, value] of Object.entries(module)) yield* slotsIn(value, module.nameOf(field), module, field);
}

/** Each module's name in the model it was last found in, for errors. */
const paths = new WeakMap<AnyModule, string>();

/** @internal A module's name in its model; "" where that is not known. */
export const pathOf = (module: AnyModule): string => paths.get(module) ?? "";

/**
 * Every place that holds a tensor, a module's own before its children's. With `seen` each tensor once, else under each of
 * its names; `above`: the modules this one lies in, so that cycles end.
 */
function* tensorSlots(
  module: AnyModule,
  seen?: Set<unknown>,
  prefix = "",
  above: readonly AnyModule[] = [],
): Generator<Slot<Parameter | Buffer>> {
  module.checkComplete();
  const fresh = (value: unknown) => {
    const known = seen?.has(value);
    seen?.add(value);
    return !known;
  };
  for (const { value, name, holder, key } of membersOf(module)) {
    if (!(value instanceof Module) && fresh(value)) yield { value, name: join(prefix, name), holder, key };
  }
  const within = [...above, module];
  for (const [name, child] of module.namedChildren()) {
    if (!within.includes(child) && fresh(child)) yield* tensorSlots(child, seen, join(prefix, name), within);
  }
}

/** `[name, tensor]` of a module's parameters or buffers, each once. */
function* named<T extends Tensor>(module: AnyModule, type: new (...args: never[]) => T): Generator<[string, T]> {
  for (const { name, value } of tensorSlots(module, new Set())) {
    if ((value as Tensor) instanceof type) yield [name, value as Tensor as T];
  }
}

/** Puts a tensor in a slot's place. */
function put({ holder, key }: Slot<unknown>, value: unknown): void {
  if (holder instanceof Map) holder.set(key, value);
  else (holder as Record<PropertyKey, unknown>)[key] = value;
}

const located = new WeakSet<Error>();

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

  /** The output for an input. A module of several inputs takes them one after another. */
  abstract forward(input: In, ...more: never[]): Out;

  /** @internal What a field is called in names; "" for one whose items stand for themselves (`0.weight`). */
  nameOf(field: string): string {
    return field;
  }

  /** @internal Multiply-adds of one call; for `summary`. */
  multiplyAdds(_inputs: readonly unknown[], _output: unknown): number {
    return 0;
  }

  /** `[name, module]` of this module ("") and all within it, each once. */
  *namedModules(prefix = "", seen = new Set<AnyModule>()): Generator<[string, AnyModule]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) yield* child.namedModules(join(prefix, name), seen);
  }

  /** @internal Throws while parameters are missing (lazy layers): an optimizer made now would never train them. */
  checkComplete(): void {}

  /** `[name, Parameter]`, each parameter once. */
  namedParameters(): Generator<[string, Parameter]> {
    return named(this, Parameter);
  }

  /** All parameters, each once. */
  parameters(): Parameter[] {
    return Array.from(this.namedParameters(), ([, parameter]) => parameter);
  }

  /** `[name, buffer]`. */
  namedBuffers(): Generator<[string, Buffer]> {
    return named(this, Buffer);
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
    for (const { name, value } of membersOf(this)) {
      if (!(value instanceof Module)) continue;
      // A part that is walked by itself keeps the whole model's name before its own.
      paths.set(value, join(pathOf(this), name));
      yield [name, value];
    }
  }

  /** The modules directly within. */
  children(): AnyModule[] {
    return Array.from(this.namedChildren(), ([, module]) => module);
  }

  /**
   * Puts another module in the place of the one called `path` (`features.3`), and gives this. Parameters of the others,
   * and an optimizer's state of them, stay what they are.
   *
   * @throws RangeError when there is none.
   */
  replace(path: string, module: AnyModule): this {
    for (const [prefix, parent] of this.namedModules()) {
      for (const slot of membersOf(parent)) {
        if (!(slot.value instanceof Module) || join(prefix, slot.name) !== path) continue;
        put(slot, module);
        return this;
      }
    }
    throw rangeError("replace", `${this.name} has no module ${describe(path)}`);
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

  /** Parameters and persistent buffers by name, shared ones under each of their names; the tensors themselves. */
  stateDict(): StateDict {
    const state: StateDict = {};
    for (const { name, value } of tensorSlots(this)) {
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

  /** A deep copy: parameters, buffers and modules are its own, shared ones shared again; hooks are not copied. */
  clone(): this {
    return copyOf(this, new Map()) as this;
  }

  /** @internal Runs `fn` with other tensors in the places of those named; every place of a shared one. */
  withTensors<T>(tensors: StateDict, fn: () => T): T {
    const slots = [...tensorSlots(this)];
    const given = new Map<Tensor, Tensor>();
    for (const [name, value] of Object.entries(tensors)) {
      const slot = slots.find((s) => s.name === name);
      if (slot === undefined) throw new Error(`functionalCall: ${this.name} has no tensor ${describe(name)}.`);
      if (!(value instanceof Tensor) || !sameShape(value.shape, slot.value.shape)) {
        const what = value instanceof Tensor ? show(value.shape) : describe(value);
        throw new RangeError(`functionalCall: ${name} must be a tensor of ${show(slot.value.shape)}: got ${what}.`);
      }
      given.set(slot.value, value);
    }
    const taken = slots.filter(({ value }) => given.has(value));
    try {
      for (const slot of taken) put(slot, given.get(slot.value));
      return fn();
    } finally {
      for (const slot of taken) put(slot, slot.value);
    }
  }

  /** Calls `hook(module, inputs)` before each forward pass. Gives a function that removes it. */
  registerForwardPreHook(hook: ForwardPreHook): () => void {
    const hooks = hooksFor(this);
    hooks.before = [...hooks.before, hook];
    return () => {
      hooks.before = hooks.before.filter((h) => h !== hook);
      hooks.tidy();
    };
  }

  /** Calls `hook(module, inputs, output)` after each forward pass. Gives a function that removes it. */
  registerForwardHook(hook: ForwardHook): () => void {
    const hooks = hooksFor(this);
    hooks.after = [...hooks.after, hook];
    return () => {
      hooks.after = hooks.after.filter((h) => h !== hook);
      hooks.tidy();
    };
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
    const path = pathOf(this);
    if (error instanceof Error && path !== "" && !located.has(error)) {
      located.add(error);
      error.message = `${path} (${this.name}): ${error.message}`;
    }
    return error;
  }

  /**
   * A table of layers: path, type, shape of the output, parameters, multiply-adds of a pass, and bytes of parameters and
   * buffers. The model is run once in evaluation mode, without recording.
   *
   * @param input shape of an input with its batch axis (run on zeros), or the input itself: a tensor, or an array of
   * them where `forward` takes several.
   * @example
   * import { Linear, ReLU, Sequential } from "gradine/nn";
   * console.log(new Sequential(new Linear(64, 32), new ReLU(), new Linear(32, 10)).summary([1, 64]));
   */
  summary(input: Shape | Tensor | readonly Tensor[]): string {
    return summaryOf(this, input);
  }
}

function copyOf(value: unknown, copies: Map<unknown, unknown>): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (copies.has(value)) return copies.get(value);
  const put = <T>(copied: T): T => {
    copies.set(value, copied);
    return copied;
  };
  if (value instanceof Parameter) return put(takeParameter(tensor(value), value.requiresGrad));
  if (value instanceof Buffer) return put(takeBuffer(tensor(value), value.persistent));
  if (Array.isArray(value)) {
    const array: unknown[] = put([]);
    for (const item of value) array.push(copyOf(item, copies));
    return array;
  }
  if (value instanceof Map) {
    const map = put(new Map<unknown, unknown>());
    for (const [key, item] of value) map.set(key, copyOf(item, copies));
    return map;
  }
  if (!(value instanceof Module) && !isPlain(value)) return value;
  const object = put(Object.create(Object.getPrototypeOf(value)) as Record<string, unknown>);
  for (const [key, field] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    // A getter is a computed weight (weightNorm); an own forward is the hooks'.
    if (field.get) Object.defineProperty(object, key, field);
    else if (field.enumerable) object[key] = copyOf(field.value, copies);
  }
  return object;
}
