// What optimizers share: parameter groups, state keyed by parameter, and the table that a kernel walks.
import { checkInteger, checkKind, checkNumber, checkOptions, describe, rangeError, show, typeError } from "../error.js";
import type { Ptr } from "../kernels/index.js";
import { heap, watchHolder, word } from "../memory/index.js";
import { sameShape } from "../shape.js";
import { enableGrad, keep, scope } from "../tape/index.js";
import { empty, full, ptr, Tensor, tensor } from "../tensor/index.js";

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
const counter = (value: number): Tensor => full([], value, { dtype: "i32" });

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
    checkKind(name, isIterable(params), "takes tensors or groups in an array", params);
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

  /** @internal Shape of a parameter's i-th state. */
  protected shapeOf(i: number, param: Tensor): readonly number[] {
    return i < 3 ? param.shape : [];
  }

  /** @internal What a state is filled with at first. */
  protected startOf(_name: string, _group: Options): number {
    return 0;
  }

  /** @internal Runs the kernel on `count` records of the table. */
  protected update(_table: Ptr, _count: number, _group: Options): void {}

  /** Adds parameters with options of their own: for layers that join a training later. */
  addParamGroup(group: Partial<Options> & { readonly params: Iterable<Tensor> }): void {
    const op = this.name;
    const { params, ...options } = Object(group) as typeof group;
    const list = params instanceof Tensor ? [params] : params;
    checkKind(op, isIterable(list), "takes tensors, or groups whose params are tensors in an array", list);
    checkOptions(op, options, Object.keys(this.defaults));
    const merged = { ...this.defaults, ...options, params: [...list] } as ParamGroup<Options>;
    // A schedule may set it to 0; who begins with 0 has made a mistake.
    if ((merged as { lr?: number }).lr === 0) throw rangeError(op, "lr must be above 0: got 0");
    this.checkGroup(merged);
    const known = new Set(this.paramGroups.flatMap((g) => g.params));
    for (const [i, param] of merged.params.entries()) {
      checkKind(op, param instanceof Tensor, "parameters must be tensors", param, ` (parameter ${i})`);
      const { dtype, released, requiresGrad, node, shape } = param;
      const at = `parameter ${i}`;
      if (dtype !== "f32") throw typeError(op, `parameters must be f32: got ${dtype} (${at})`);
      const problem = released
        ? "was released"
        : requiresGrad && node!.name !== ""
          ? "is the result of an op, and only leaves can be optimized"
          : known.has(param)
            ? "is in two groups, or twice in one"
            : undefined;
      if (problem !== undefined) throw rangeError(op, `${at} ${problem}: ${param.op} ${show(shape)}`);
      this.checkParam(param, at);
      known.add(param);
    }
    if (merged.params.length === 0) throw rangeError(op, "got a group without parameters");
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
    // Places that a rule has no state for are given its first one, which the kernel passes over.
    const [name0, name1 = name0, name2 = name0, name3 = name0] = names;
    let count = 0;
    let at = word(table);
    for (const param of params) {
      const { grad } = param;
      if (grad === null) continue;
      // All addresses first: reading one may allocate, which may replace the views. No array: this runs in every step.
      const p = addressOf(param);
      const g = addressOf(grad);
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let scalar = 0;
      let step = 0;
      if (name0 !== undefined) {
        let state = this.state.get(param);
        // Each name at places of its own: V8 remembers the name that a place asks for, and in a loop over names would go
        // through a table for each, which takes longer than the update of a small parameter.
        if (!state?.step || !state[name0] || !state[name1!] || !state[name2!] || !state[name3!])
          state = this.stateOf(param, group, names);
        s0 = addressOf(state[name0]!);
        s1 = addressOf(state[name1!]!);
        s2 = addressOf(state[name2!]!);
        scalar = addressOf(state[name3!]!);
        step = addressOf(state.step!);
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
      state.step = own(counter(Object.keys(state).length > 0 ? 1 : 0));
    }
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!;
      state[name] ??= own(full(this.shapeOf(i, param), this.startOf(name, group)));
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
    const { state, paramGroups } = inCamelCase(Object(saved)) as unknown as OptimizerState;
    const fits =
      typeof state === "object" && Array.isArray(paramGroups) && paramGroups.every((one) => Array.isArray(one?.params));
    checkKind(op, fits, "takes what stateDict() gave", saved);
    const sizes = (groups: OptimizerState["paramGroups"] | ParamGroup<Options>[]) =>
      show(groups.map(({ params }) => params.length));
    const [there, here] = [sizes(paramGroups), sizes(this.paramGroups)];
    if (there !== here) throw rangeError(op, `groups differ: saved ${there} parameters a group, here ${here}`);
    const params = new Map<number, Tensor>();
    const options = (paramGroups as OptimizerState["paramGroups"]).map(({ params: numbers, ...rest }, i) => {
      const group = this.paramGroups[i]!;
      const given = inCamelCase(rest);
      for (const name of pytorchOnly) delete given[name];
      checkOptions(op, given, [...Object.keys(this.defaults), "initialLr"]);
      this.checkGroup({ ...group, ...given });
      for (const [k, number] of numbers.entries()) params.set(number, group.params[k]!);
      return given;
    });
    // Copied before the old state goes: `saved` may be this optimizer's own. In a scope, which keeps nothing when it throws.
    const copies = scope(() =>
      Object.entries(state).map(([number, values]) => {
        const param = params.get(Number(number));
        if (param === undefined) throw rangeError(op, `there is no parameter ${number} (of ${params.size})`);
        return [param, this.copied(op, `of parameter ${number}`, param, inCamelCase(values))] as const;
      }),
    );
    for (const values of this.state.values()) for (const value of Object.values(values)) value.dispose();
    this.state.clear();
    for (const [param, values] of copies) {
      Object.values(values).forEach(own);
      this.state.set(param, values);
    }
    for (const [i, given] of options.entries()) Object.assign(this.paramGroups[i]!, given);
  }

  /** A parameter's saved state, checked, as a state of one's own. */
  private copied(op: string, where: string, param: Tensor, values: Readonly<Record<string, unknown>>): ParamState {
    const known = this.knownStates();
    const state: ParamState = {};
    for (const [name, value] of Object.entries(values)) {
      const what = `${name} ${where}`;
      if (name === "step") {
        const count = value instanceof Tensor && value.numel === 1 ? value.item() : value;
        state.step = counter(checkInteger(op, what, count, 0, 0x7fffffff));
        continue;
      }
      if (!known.includes(name)) throw rangeError(op, `unknown state ${describe(name)}`, `Known: ${known.join(", ")}.`);
      const shape = this.shapeOf(known.indexOf(name), param);
      if (shape.length === 0 && typeof value === "number") {
        state[name] = full([], value);
        continue;
      }
      const wanted = `${what} must be an f32 tensor of ${show(shape)}`;
      checkKind(op, value instanceof Tensor, wanted, value);
      const { released, numel, dtype } = value;
      if ((released && numel !== 1) || dtype !== "f32" || !sameShape(value.shape, shape))
        throw rangeError(op, `${wanted}: got ${released ? "a released one" : dtype} ${show(value.shape)}`);
      state[name] = tensor(value);
    }
    return state;
  }
}

/** A tensor's address as the table holds it. */
const addressOf = (x: Tensor): number => ptr(x) as unknown as number;

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
    else checkKind(op, value !== undefined, `${name} must be given`, value);
  }
}

/** Two decays, each from 0 to below 1: at 1 the bias correction divides by 0. */
export function checkBetas(op: string, betas: unknown): void {
  checkKind(op, Array.isArray(betas) && betas.length === 2, "betas must be two numbers", betas);
  // The names as they are: every step checks them, and putting them together takes longer than that.
  checkNumber(op, "betas[0]", betas[0], 0, belowOne);
  checkNumber(op, "betas[1]", betas[1], 0, belowOne);
}

/** The largest double below 1. */
const belowOne = 1 - Number.EPSILON / 2;
