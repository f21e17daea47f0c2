// What optimizers share: parameter groups, state keyed by parameter, and the table that a kernel walks.
import { checkInteger, checkOptions, describe, rangeError, show, typeError } from "../error.js";
import type { Ptr } from "../kernels/index.js";
import { heap, watchHolder, word } from "../memory/index.js";
import { sameShape } from "../shape.js";
import { keep } from "../tape/index.js";
import { empty, fillWith, ptr, Tensor, tensor, zeros } from "../tensor/index.js";

/** Options and parameters of one group; options not given are the optimizer's. */
export type ParamGroup<Options> = Options & { params: Tensor[] };

/** What an optimizer takes: parameters, or groups of them with options of their own. */
export type Params<Options> = Iterable<Tensor> | readonly (Partial<Options> & { readonly params: Iterable<Tensor> })[];

/** A parameter's state: PyTorch's names in camelCase. `step` counts its updates. */
export type ParamState = Record<string, Tensor>;

/** What `stateDict` gives: parameters are numbered in the order of the groups, as in PyTorch. */
export interface OptimizerState {
  readonly state: Record<number, Record<string, Tensor | number>>;
  readonly paramGroups: readonly (Record<string, unknown> & { readonly params: readonly number[] })[];
}

const recordWords = 8;

/** Out of whatever loop or scope it was made in; collected with the optimizer. */
function own(x: Tensor): Tensor {
  watchHolder(keep(x));
  return x;
}

/** A parameter's count of updates. */
function counter(value: number): Tensor {
  const step = own(zeros([], { dtype: "i32" }));
  if (value !== 0) fillWith(step, value);
  return step;
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === "object" && value !== null && Symbol.iterator in value;

/** The base of optimizers. PyTorch: `torch.optim.Optimizer`. */
export abstract class Optimizer<Options extends object> {
  /** The groups; options such as `paramGroups[0].lr` may be set at any time. */
  readonly paramGroups: ParamGroup<Options>[] = [];
  /** State of each parameter, made at its first step. */
  readonly state = new Map<Tensor, ParamState>();
  protected readonly name: string;
  private readonly defaults: Options;
  private table: Tensor | null = null;

  protected constructor(name: string, params: Params<Options>, options: Partial<Options>, defaults: Options) {
    this.name = name;
    checkOptions(name, options, Object.keys(defaults));
    this.defaults = { ...defaults, ...options };
    this.checkGroup(this.defaults);
    if (!isIterable(params)) {
      throw typeError(name, `takes tensors, or groups { params, … }: got ${describe(params)}`, "Put them in an array.");
    }
    const list = [...params];
    if (list.length === 0) throw rangeError(name, "got no parameters");
    if (list[0] instanceof Tensor) this.addParamGroup({ params: list } as never);
    else for (const group of list) this.addParamGroup(group as never);
  }

  /** Throws for options out of range; called for each group before each step, since they may be set. */
  protected abstract checkGroup(group: Options): void;

  /** @internal Names of a parameter's state tensors, beside `step`: at most three. */
  protected abstract stateNames(group: Options): readonly string[];

  /** @internal All names that `stateNames` may give: a saved state may hold no other. */
  protected abstract knownStates(): readonly string[];

  /** @internal Runs the kernel on `count` records of the table. */
  protected abstract update(table: Ptr, count: number, group: Options): void;

  /** Adds parameters with options of their own: for layers that join a training later. */
  addParamGroup(group: Partial<Options> & { readonly params: Iterable<Tensor> }): void {
    if (typeof group !== "object" || group === null || group.params === undefined) {
      throw typeError(this.name, `takes tensors, or groups { params, … }: got ${describe(group)}`);
    }
    const { params, ...options } = group;
    checkOptions(this.name, options, Object.keys(this.defaults));
    const list = params instanceof Tensor ? [params] : params;
    if (!isIterable(list))
      throw typeError(this.name, `a group's params must be tensors in an array: got ${describe(list)}`);
    const merged = { ...this.defaults, ...options, params: [...list] } as ParamGroup<Options>;
    this.checkGroup(merged);
    const known = new Set(this.paramGroups.flatMap((g) => g.params));
    for (const [i, param] of merged.params.entries()) {
      if (!(param instanceof Tensor))
        throw typeError(this.name, `parameters must be tensors: got ${describe(param)} (parameter ${i})`);
      if (param.dtype !== "f32")
        throw typeError(this.name, `parameters must be f32: got ${param.dtype} (parameter ${i})`);
      if (param.released)
        throw rangeError(this.name, `the tensor was released: ${param.op} ${show(param.shape)} (parameter ${i})`);
      if (param.requiresGrad && param.node!.name !== "") {
        throw rangeError(
          this.name,
          `only leaves can be optimized: ${param.op} ${show(param.shape)} is the result of an op (parameter ${i})`,
        );
      }
      if (known.has(param))
        throw rangeError(this.name, `parameter ${i} ${show(param.shape)} is in two groups, or twice in one`);
      known.add(param);
    }
    if (merged.params.length === 0) throw rangeError(this.name, "got a group without parameters");
    this.paramGroups.push(merged);
  }

  /** Forgets the gradients of all parameters; `backward()` starts new ones. */
  zeroGrad(): void {
    for (const group of this.paramGroups) for (const param of group.params) param.grad = null;
  }

  /** Updates every parameter that has a gradient: one kernel call a group. */
  step(): void {
    for (const group of this.paramGroups) this.checkGroup(group);
    for (const group of this.paramGroups) {
      const { params } = group;
      if (this.table === null || this.table.shape[0]! < params.length) {
        this.table?.dispose();
        this.table = own(empty([params.length, recordWords], { dtype: "i32" }));
      }
      const table = ptr(this.table);
      let count = 0;
      let at = word(table);
      for (const param of params) {
        const { grad } = param;
        if (grad === null) continue;
        const state = this.stateOf(param, group);
        // All addresses first: reading one may allocate, which may replace the views.
        const p = ptr(param) as unknown as number;
        const g = ptr(grad) as unknown as number;
        const names = this.names;
        const s0 = names.length > 0 ? (ptr(state[names[0]!]!) as unknown as number) : 0;
        const s1 = names.length > 1 ? (ptr(state[names[1]!]!) as unknown as number) : 0;
        const s2 = names.length > 2 ? (ptr(state[names[2]!]!) as unknown as number) : 0;
        const step = state.step === undefined ? 0 : (ptr(state.step) as unknown as number);
        const { u32 } = heap;
        u32[at] = p;
        u32[at + 1] = g;
        u32[at + 2] = s0;
        u32[at + 3] = s1;
        u32[at + 4] = s2;
        u32[at + 5] = step;
        u32[at + 6] = param.numel;
        u32[at + 7] = 0;
        at += recordWords;
        count++;
        param.storage.written();
      }
      if (count > 0) this.update(table, count, group);
    }
  }

  private names: readonly string[] = [];

  private stateOf(param: Tensor, group: Options): ParamState {
    this.names = this.stateNames(group);
    let state = this.state.get(param);
    if (state === undefined) {
      state = {};
      this.state.set(param, state);
    }
    if (this.names.length > 0 && state.step === undefined) {
      // State without a count comes from a saved one that has none (PyTorch's SGD): its buffers are in use.
      state.step = counter(Object.keys(state).length > 0 ? 1 : 0);
    }
    for (const name of this.names) state[name] ??= own(zeros(param.shape));
    return state;
  }

  /** State and options, with parameters numbered in the order of the groups, as PyTorch numbers them. */
  stateDict(): OptimizerState {
    const numbers = new Map<Tensor, number>();
    for (const group of this.paramGroups) for (const param of group.params) numbers.set(param, numbers.size);
    const state: OptimizerState["state"] = {};
    for (const [param, own] of this.state) {
      const { step, ...tensors } = own;
      state[numbers.get(param)!] = step === undefined ? { ...tensors } : { step: step.item(), ...tensors };
    }
    return {
      state,
      paramGroups: this.paramGroups.map(({ params, ...options }) => ({
        ...options,
        params: params.map((p) => numbers.get(p)!),
      })),
    };
  }

  /** Goes on from a saved state; values are copied. @throws Error when it does not fit; nothing is changed then. */
  loadStateDict(saved: OptimizerState): void {
    const op = `${this.name}.loadStateDict`;
    const params = this.checkSaved(op, saved);
    // Copied before the old state goes: `saved` may be this optimizer's own.
    const copies = Object.entries(saved.state).map(([number, values]): [Tensor, ParamState] => {
      const state: ParamState = {};
      for (const [name, value] of Object.entries(values)) {
        if (name !== "step") state[name] = own(tensor(value as Tensor));
        else state.step = counter(typeof value === "number" ? value : value.item());
      }
      return [params.get(Number(number))!, state];
    });
    for (const values of this.state.values()) for (const value of Object.values(values)) value.dispose();
    this.state.clear();
    for (const [param, state] of copies) this.state.set(param, state);
    saved.paramGroups.forEach(({ params: _, ...options }, i) => Object.assign(this.paramGroups[i]!, options));
  }

  /** Throws unless a saved state fits these parameters; gives the parameter of each saved number. */
  private checkSaved(op: string, saved: OptimizerState): Map<number, Tensor> {
    const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
    if (
      !isObject(saved) ||
      !isObject(saved.state) ||
      !Array.isArray(saved.paramGroups) ||
      !saved.paramGroups.every((group) => isObject(group) && Array.isArray(group.params))
    ) {
      throw typeError(op, `takes what stateDict() gave: got ${describe(saved)}`);
    }
    const sizes = saved.paramGroups.map((group) => group.params.length);
    if (sizes.length !== this.paramGroups.length || sizes.some((n, i) => n !== this.paramGroups[i]!.params.length)) {
      throw rangeError(
        op,
        `groups differ: saved ${show(sizes)} parameters a group, here ${show(this.paramGroups.map((g) => g.params.length))}`,
      );
    }
    const params = new Map<number, Tensor>();
    for (const [i, group] of saved.paramGroups.entries()) {
      const { params: numbers, ...options } = group;
      checkOptions(op, options, Object.keys(this.defaults));
      this.checkGroup({ ...this.paramGroups[i]!, ...options } as Options);
      numbers.forEach((number: number, k: number) => void params.set(number, this.paramGroups[i]!.params[k]!));
    }
    const known = this.knownStates();
    for (const [number, values] of Object.entries(saved.state)) {
      const param = params.get(Number(number));
      if (param === undefined) throw rangeError(op, `there is no parameter ${number} (of ${params.size})`);
      for (const [name, value] of Object.entries(values)) {
        const what = `${name} of parameter ${number}`;
        if (name === "step") {
          checkInteger(op, what, value instanceof Tensor && value.numel === 1 ? value.item() : value, 0, 0x7fffffff);
          continue;
        }
        if (!known.includes(name))
          throw rangeError(op, `unknown state ${describe(name)} of parameter ${number}`, `Known: ${known.join(", ")}.`);
        const wanted = `${what} must be an f32 tensor of ${show(param.shape)}`;
        if (!(value instanceof Tensor)) throw typeError(op, `${wanted}: got ${describe(value)}`);
        if (value.released && value.numel !== 1) throw rangeError(op, `${wanted}: it was released`);
        if (value.dtype !== "f32" || !sameShape(value.shape, param.shape))
          throw rangeError(op, `${wanted}: got ${value.dtype} ${show(value.shape)}`);
      }
    }
    return params;
  }
}
