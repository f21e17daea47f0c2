// L-BFGS: a line search along directions from the last gradients. It decides by values of the loss, so it reads them.
import { checkKind, checkNumber, rangeError } from "../error.js";
import { copy } from "../ops/index.js";
import { enableGrad, noGrad } from "../tape/index.js";
import { type Tensor, tensor } from "../tensor/index.js";
import { checkNumbers, Optimizer, type OptimizerState, type Params } from "./optimizer.js";
import { strongWolfe } from "./wolfe.js";

/** Options of `LBFGS`. */
export interface LBFGSOptions {
  /** Learning rate: the length of a step, with a line search its first try; default 1. */
  lr: number;
  /** Iterations a step; default 20. */
  maxIter: number;
  /** Evaluations of the closure a step; default 1.25 · maxIter. */
  maxEval: number | null;
  /** Ends when no gradient is above it; default 1e-7. */
  toleranceGrad: number;
  /** Ends when weights or loss change less; default 1e-9. */
  toleranceChange: number;
  /** Steps that are remembered; default 100. */
  historySize: number;
  /** "strongWolfe", or null (default) for steps of length lr. */
  lineSearchFn: "strongWolfe" | null;
  /** Climb instead of descend; default false. */
  maximize: boolean;
}

/** What is carried from step to step: vectors over all parameters, in their order. */
interface Memory {
  /** Iterations so far. */
  nIter: number;
  /** The last direction, the length that was gone along it, and the gradient before. */
  d: Float32Array;
  t: number;
  prevFlatGrad: Float32Array;
  /** The inverse curvature that the two loops begin with. */
  hDiag: number;
  /** Changes of the gradient (y) and of the weights (s), and 1/(y·s). */
  changes: { y: Float32Array; s: Float32Array; rho: number }[];
}

export const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** Greatest absolute value; NaN if there is one. */
export const greatest = (a: Float32Array): number => a.reduce((top, v) => Math.max(top, Math.abs(v)), 0);

/** a += factor · b */
const accumulate = (a: Float32Array, b: Float32Array, factor: number): void => {
  for (let i = 0; i < a.length; i++) a[i]! += factor * b[i]!;
};

/**
 * Limited-memory BFGS (Nocedal 1980) over whole batches; one group only. `step` takes a closure that computes the loss
 * with its gradients, and calls it several times. PyTorch: `torch.optim.LBFGS`.
 *
 * @example
 * import { tensor } from "gradine";
 * import { LBFGS } from "gradine/optim";
 * const w = tensor([3, -2], { requiresGrad: true });
 * const optimizer = new LBFGS([w], { lineSearchFn: "strongWolfe" });
 * optimizer.step(() => {
 *   optimizer.zeroGrad();
 *   const loss = w.sub(1).square().sum();
 *   loss.backward();
 *   return loss;
 * });
 * console.log(w.toArray()); // [1, 1]
 */
export class LBFGS extends Optimizer<LBFGSOptions> {
  /** `step` evaluates the loss itself: `fit` gives it a closure. */
  readonly needsClosure = true;
  private memory: Memory | null = null;

  constructor(params: Params<LBFGSOptions>, options: Partial<LBFGSOptions> = {}) {
    super("LBFGS", params, options, {
      lr: 1,
      maxIter: 20,
      maxEval: null,
      toleranceGrad: 1e-7,
      toleranceChange: 1e-9,
      historySize: 100,
      lineSearchFn: null,
      maximize: false,
    });
    if (this.paramGroups.length !== 1) throw rangeError("LBFGS", `takes one group: got ${this.paramGroups.length}`);
  }

  protected checkGroup(group: LBFGSOptions): void {
    checkNumbers(this.name, group);
    checkNumber(this.name, "historySize", group.historySize, 1);
    const { lineSearchFn } = group;
    const fits = lineSearchFn === null || lineSearchFn === "strongWolfe";
    checkKind(this.name, fits, 'lineSearchFn must be "strongWolfe" or null', lineSearchFn);
  }

  private gather(of: (param: Tensor) => Tensor | null): Float32Array {
    const { params } = this.paramGroups[0]!;
    const flat = new Float32Array(params.reduce((n, param) => n + param.numel, 0));
    let at = 0;
    for (const param of params) {
      const x = of(param);
      if (x !== null) flat.set(x.toTypedArray(), at);
      at += param.numel;
    }
    return flat;
  }

  /** w = start + length · direction, rounded as f32. */
  private move(start: Float32Array, length: number, direction: Float32Array): void {
    const moved = start.map((v, i) => v + length * direction[i]!);
    let at = 0;
    noGrad(() => {
      for (const param of this.paramGroups[0]!.params) {
        copy(param, tensor(moved.subarray(at, (at += param.numel)), { shape: param.shape }));
      }
    });
  }

  /** Up to maxIter iterations; gives the loss before the first. */
  override step(): never;
  override step(closure: () => Tensor): Tensor;
  override step(closure?: () => Tensor): Tensor {
    checkKind("LBFGS", typeof closure === "function", "step() takes a closure that computes the loss", closure);
    const group = this.paramGroups[0]!;
    this.checkGroup(group);
    const { lr, maxIter, toleranceGrad, toleranceChange, historySize } = group;
    const maxEval = group.maxEval ?? Math.floor((maxIter * 5) / 4);
    const evaluate = () => {
      const value = enableGrad(closure);
      const gradient = this.gather((param) => param.grad);
      // To climb is to descend on −loss.
      if (!group.maximize) return { value, loss: value.item(), gradient };
      return { value, loss: -value.item(), gradient: gradient.map((v) => -v) };
    };
    let { value: first, loss, gradient } = evaluate();
    let evaluations = 1;
    if (greatest(gradient) <= toleranceGrad) return first;
    const memory: Memory = (this.memory ??= {
      nIter: 0,
      d: new Float32Array(0),
      t: 0,
      prevFlatGrad: new Float32Array(0),
      hDiag: 1,
      changes: [],
    });
    for (let i = 1; i <= maxIter; i++) {
      memory.nIter++;
      if (memory.nIter > 1) remember(memory, gradient, historySize);
      const direction = directionOf(memory, gradient);
      memory.d = direction;
      memory.prevFlatGrad = gradient;
      const before = loss;
      memory.t = memory.nIter > 1 ? lr : lr * Math.min(1, 1 / gradient.reduce((n, v) => n + Math.abs(v), 0));
      const slope = dot(gradient, direction);
      if (slope > -toleranceChange) break;
      const start = this.gather((param) => param);
      if (group.lineSearchFn !== null) {
        const found = strongWolfe(
          (length) => {
            this.move(start, length, direction);
            return evaluate();
          },
          memory.t,
          { loss, gradient, slope },
          direction,
        );
        ({ loss, gradient, length: memory.t } = found);
        evaluations += found.evaluations;
        this.move(start, memory.t, direction);
      } else {
        this.move(start, memory.t, direction);
        if (i < maxIter) {
          ({ loss, gradient } = evaluate());
          evaluations++;
        }
      }
      if (i === maxIter || evaluations >= maxEval || greatest(gradient) <= toleranceGrad) break;
      if (greatest(direction) * Math.abs(memory.t) <= toleranceChange) break;
      if (Math.abs(loss - before) < toleranceChange) break;
    }
    return first;
  }

  override stateDict(): OptimizerState {
    const saved = super.stateDict();
    if (this.memory === null) return saved;
    const { d, prevFlatGrad, changes, ...numbers } = this.memory;
    const own: Record<string, Tensor | number> = { ...numbers, d: tensor(d), prevFlatGrad: tensor(prevFlatGrad) };
    for (const [i, { y, s, rho }] of changes.entries())
      Object.assign(own, { [`oldDirs.${i}`]: tensor(y), [`oldStps.${i}`]: tensor(s), [`ro.${i}`]: rho });
    return { ...saved, state: { 0: own } };
  }

  override loadStateDict(saved: OptimizerState): void {
    super.loadStateDict({ ...saved, state: {} });
    const own = saved.state[0];
    this.memory = null;
    if (own === undefined) return;
    const vector = (name: string) => (own[name] as Tensor).toTypedArray() as Float32Array;
    const number = (name: string) => own[name] as number;
    const changes: Memory["changes"] = [];
    for (let i = 0; `ro.${i}` in own; i++)
      changes.push({ y: vector(`oldDirs.${i}`), s: vector(`oldStps.${i}`), rho: number(`ro.${i}`) });
    const [d, prevFlatGrad] = [vector("d"), vector("prevFlatGrad")];
    this.memory = { nIter: number("nIter"), d, t: number("t"), prevFlatGrad, hDiag: number("hDiag"), changes };
  }
}

/** Takes up the last step and the change of gradient it made, if the loss is curved upward along it. */
function remember(memory: Memory, gradient: Float32Array, size: number): void {
  const y = gradient.map((v, i) => v - memory.prevFlatGrad[i]!);
  const s = memory.d.map((v) => v * memory.t);
  const ys = dot(y, s);
  if (!(ys > 1e-10)) return;
  if (memory.changes.length >= size) memory.changes.shift();
  memory.changes.push({ y, s, rho: 1 / ys });
  memory.hDiag = ys / dot(y, y);
}

/** −H·gradient by the two loops (Nocedal and Wright, algorithm 7.4). */
function directionOf({ changes, hDiag }: Memory, gradient: Float32Array): Float32Array {
  const q = gradient.map((v) => -v);
  const shares = new Float64Array(changes.length);
  for (let i = changes.length - 1; i >= 0; i--) {
    const { y, s, rho } = changes[i]!;
    shares[i] = dot(s, q) * rho;
    accumulate(q, y, -shares[i]!);
  }
  if (changes.length > 0) for (let i = 0; i < q.length; i++) q[i]! *= hDiag;
  for (const [i, { y, s, rho }] of changes.entries()) accumulate(q, s, shares[i]! - dot(y, q) * rho);
  return q;
}
