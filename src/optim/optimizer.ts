// What optimizers share: parameter groups, state keyed by parameter, and the table that a kernel walks.
import { checkInteger, checkNumber, checkOptions, describe, rangeError, show, typeError } from "../error.js";
import type { Ptr } from "../kernels/index.js";
import { heap, watchHolder, word } from "../memory/index.js";
import { sameShape } from "../shape.js";
import { enableGrad, keep } from "../tape/index.js";
import { empty, fillWith, full, ptr, Tensor, tensor, zeros } from "../tensor/index.js";

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

  /** @internal Throws for a parameter that this optimizer cannot take. */
  protected checkParam(_param: Tensor, _position: string): void {}

  /**
   * @internal Names of a parameter's state, beside `step`: up to three tensors of its shape, and as a fourth a scalar.
   * A name that a rule's options leave out may stand twice: the kernel then passes over its second place.
   */
  protected stateNames(_group: Options): readonly string[] {
    return [];
  }

  /** @internal All names that `stateNames` may give: a saved state may hold no other. */
  protected knownStates(): readonly string[] {
    return [];
  }

  /** @internal What a state is filled with at first. */
  protected startOf(_name: string, _group: Options): number {
    return 0;
  }

  /** @internal Runs the kernel on `count` records of the table. */
  protected update(_table: Ptr, _count: number, _group: Options): void {}

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
    // A schedule may set it to 0; who begins with 0 has made a mistake.
    if ((merged as { lr?: number }).lr === 0) throw rangeError(this.name, "lr must be above 0: got 0");
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
      this.checkParam(param, `parameter ${i}`);
      if (known.has(param))
        throw rangeError(this.name, `parameter ${i} ${show(param.shape)} is in two groups, or twice in one`);
      known.add(param);
    }
    if (merged.params.length === 0) throw rangeError(this.name, "got a group without parameters");
    this.paramGroups.push(merged);
  }

  /** Forgets the gradients of all parameters; `backward()` starts new ones. */
  zeroGrad(): void {
    for (const { params } of this.paramGroups) {
      for (let i = 0; i < params.length; i++) if (params[i]!.gradient !== null) params[i]!.grad = null;
    }
  }

  /**
   * Updates every parameter that has a gradient: one kernel call a group.
   *
   * @param closure computes the loss anew with its gradients, before the update; what it gives is given back.
   */
  step(): void;
  step(closure: () => Tensor): Tensor;
  step(closure?: () => Tensor): Tensor | undefined {
    const loss = closure === undefined ? undefined : enableGrad(closure);
    for (const group of this.paramGroups) this.checkGroup(group);
    for (const group of this.paramGroups) this.stepGroup(group);
    return loss;
  }

  /** @internal */
  protected stepGroup(group: ParamGroup<Options>): void {
    const { params } = group;
    if (this.table === null || this.table.shape[0]! < params.length) {
      this.table?.dispose();
      this.table = own(empty([params.length, recordWords], { dtype: "i32" }));
    }
    const table = ptr(this.table);
    const names = this.stateNames(group);
    let count = 0;
    let at = word(table);
    for (const param of params) {
      const { grad } = param;
      if (grad === null) continue;
      // All addresses first: reading one may allocate, which may replace the views. No array: this runs in every step.
      const p = ptr(param) as unknown as number;
      const g = ptr(grad) as unknown as number;
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let scalar = 0;
      let step = 0;
      if (names.length > 0) {
        const state = this.stateOf(param, group, names);
        s0 = addressOf(state, names[0]);
        s1 = addressOf(state, names[1]);
        s2 = addressOf(state, names[2]);
        scalar = addressOf(state, names[3]);
        step = ptr(state.step!) as unknown as number;
      }
      const { u32 } = heap;
      u32[at] = p;
      u32[at + 1] = g;
      u32[at + 2] = s0;
      u32[at + 3] = s1;
      u32[at + 4] = s2;
      u32[at + 5] = step;
      u32[at + 6] = param.numel;
      u32[at + 7] = scalar;
      at += recordWords;
      count++;
      param.storage.written();
    }
    if (count > 0) this.update(table, count, group);
  }

  /** @internal The state of a parameter, made where it is missing. */
  protected stateOf(param: Tensor, group: Options, names: readonly string[]): ParamState {
    let state = this.state.get(param);
    if (state === undefined) {
      state = {};
      this.state.set(param, state);
    }
    if (names.length > 0 && state.step === undefined) {
      // State without a count comes from a saved one that has none (PyTorch's SGD): its buffers are in use.
      state.step = counter(Object.keys(state).length > 0 ? 1 : 0);
    }
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      state[name] ??= own(full(i < 3 ? param.shape : [], this.startOf(name, group)));
    }
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

  /**
   * Goes on from a saved state, of this library or of PyTorch (`exp_avg` is `expAvg`); values are copied.
   *
   * @throws Error when it does not fit; nothing is changed then.
   */
  loadStateDict(saved: OptimizerState): void {
    const op = `${this.name}.loadStateDict`;
    const { params, states, groups } = this.checkSaved(op, saved);
    // Copied before the old state goes: `saved` may be this optimizer's own.
    const copies = states.map(([number, values]): [Tensor, ParamState] => {
      const state: ParamState = {};
      for (const [name, value] of Object.entries(values)) {
        if (name === "step") state.step = counter(typeof value === "number" ? value : value.item());
        else state[name] = own(typeof value === "number" ? full([], value) : tensor(value));
      }
      return [params.get(Number(number))!, state];
    });
    for (const values of this.state.values()) for (const value of Object.values(values)) value.dispose();
    this.state.clear();
    for (const [param, state] of copies) this.state.set(param, state);
    groups.forEach(({ options }, i) => Object.assign(this.paramGroups[i]!, options));
  }

  /** Throws unless a saved state fits these parameters; gives the parameter of each saved number, and all in our names. */
  private checkSaved(op: string, saved: OptimizerState) {
    const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;
    const { state, paramGroups } = (isObject(saved) ? inCamelCase(saved) : {}) as unknown as OptimizerState;
    if (
      !isObject(state) ||
      !Array.isArray(paramGroups) ||
      !paramGroups.every((group) => isObject(group) && Array.isArray(group.params))
    ) {
      throw typeError(op, `takes what stateDict() gave: got ${describe(saved)}`);
    }
    const groups = (paramGroups as OptimizerState["paramGroups"]).map(({ params, ...rest }) => {
      const options = inCamelCase(rest);
      for (const name of pytorchOnly) delete options[name];
      return { numbers: params, options };
    });
    const sizes = groups.map(({ numbers }) => numbers.length);
    if (sizes.length !== this.paramGroups.length || sizes.some((n, i) => n !== this.paramGroups[i]!.params.length)) {
      throw rangeError(
        op,
        `groups differ: saved ${show(sizes)} parameters a group, here ${show(this.paramGroups.map((g) => g.params.length))}`,
      );
    }
    const params = new Map<number, Tensor>();
    for (const [i, { numbers, options }] of groups.entries()) {
      checkOptions(op, options, [...Object.keys(this.defaults), "initialLr"]);
      this.checkGroup({ ...this.paramGroups[i]!, ...options } as Options);
      numbers.forEach((number, k) => void params.set(number, this.paramGroups[i]!.params[k]!));
    }
    const known = this.knownStates();
    const states = Object.entries(state).map(([number, values]) => [number, inCamelCase(values)] as const);
    for (const [number, values] of states) {
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
        const shape = known.indexOf(name) < 3 ? param.shape : [];
        if (shape.length === 0 && typeof value === "number") continue;
        const wanted = `${what} must be an f32 tensor of ${show(shape)}`;
        if (!(value instanceof Tensor)) throw typeError(op, `${wanted}: got ${describe(value)}`);
        if (value.released && value.numel !== 1) throw rangeError(op, `${wanted}: it was released`);
        if (value.dtype !== "f32" || !sameShape(value.shape, shape))
          throw rangeError(op, `${wanted}: got ${value.dtype} ${show(value.shape)}`);
      }
    }
    return { params, groups, states: states as (readonly [string, Record<string, Tensor | number>])[] };
  }
}

/** Address of a state; 0 for none. */
const addressOf = (state: ParamState, name: string | undefined): number =>
  name === undefined ? 0 : (ptr(state[name]!) as unknown as number);

/** Options that PyTorch saves and that say nothing here. */
const pytorchOnly = ["foreach", "capturable", "differentiable", "fused"];

/** The same with PyTorch's names in camelCase, and without what is null (a buffer that was never used). */
function inCamelCase(record: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), value]),
  );
}

/** Numbers of a group: finite, not negative, pairs at most 1 each, and within the limits named. */
export function checkNumbers(op: string, group: object, limits: Readonly<Record<string, number>> = {}): void {
  for (const name in group) {
    const value: unknown = (group as Record<string, unknown>)[name];
    if (typeof value === "number") checkNumber(op, name, value, 0, limits[name]);
    else if (name === "betas") checkBetas(op, value);
    else if (value === undefined) throw typeError(op, `${name} must be given: got undefined`);
  }
}

/** Two decays, each from 0 to below 1: at 1 the bias correction divides by 0. */
export function checkBetas(op: string, betas: unknown): void {
  if (!Array.isArray(betas) || betas.length !== 2)
    throw typeError(op, `betas must be two numbers: got ${describe(betas)}`);
  checkNumber(op, "betas[0]", betas[0], 0, belowOne);
  checkNumber(op, "betas[1]", betas[1], 0, belowOne);
}

/** The largest double below 1. */
const belowOne = 1 - Number.EPSILON / 2;
