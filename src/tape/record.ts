// Recording: what every op calls with its result, and the modes that switch it off.
import { rangeError, typeError } from "../error.js";
import { moveTo, openLoops, runInScope, settle, watchHolder, writeTime } from "../memory/index.js";
import { Tensor, viewOf } from "../tensor/index.js";
import { escapeNoGrad, followInputs, joinGraph, makeLoose, watchReads } from "./graph.js";
import { type InputPartial, type JointPartial, Node, nodeOf, nodesOf } from "./node.js";

let recording = true;
const nothing: readonly Tensor[] = [];

/** Whether ops are recorded: not within noGrad, nor in a backward walk without createGraph. */
export const isRecording = (): boolean => recording;

/** @internal Switches recording and gives the former state. */
export function setRecording(on: boolean): boolean {
  const before = recording;
  recording = on;
  return before;
}

/** @internal Whether an op on these inputs will be recorded: for ops that save something extra only then. */
export function willRecord(...inputs: readonly Tensor[]): boolean {
  if (!recording) return false;
  let needs = false;
  for (const x of inputs) {
    const node = nodeOf(x);
    if (node === null) continue;
    if (node.consumed) return false;
    needs = true;
  }
  return needs;
}

/**
 * Puts an op on the tape, if one of its inputs requires a gradient, and gives back its result.
 *
 * @param name the op, for messages.
 * @param y its result.
 * @param partials for each differentiable input: the gradient with respect to it, given that of `y`.
 * @param saved the tensors whose values the partials use; changed in place before the walk, they make it throw.
 */
export function record(
  name: string,
  y: Tensor,
  partials: readonly InputPartial[],
  saved: readonly Tensor[] = nothing,
): Tensor {
  return put(name, y, inputsOf(partials), partials, saved);
}

/** As `record`, with one function for the gradients of all inputs. */
export function recordJoint(
  name: string,
  y: Tensor,
  inputs: readonly Tensor[],
  partial: JointPartial,
  saved: readonly Tensor[] = nothing,
): Tensor {
  return put(name, y, inputs, partial, saved);
}

/** The result of an op that does without partials because nothing is recorded: within noGrad, or in a backward walk. */
export function passOn(name: string, y: Tensor, inputs: readonly Tensor[]): Tensor {
  return put(name, y, inputs, null, nothing);
}

/** The result of an op without a gradient: it is released with its inputs where no scope does it. */
export function unrecorded(name: string, y: Tensor, inputs: readonly Tensor[]): Tensor {
  y.op = name;
  place(y, inputs, false);
  return y;
}

/** The inputs of partials, without `map`: see nodesOf. */
function inputsOf(partials: readonly InputPartial[]): Tensor[] {
  if (partials.length === 1) return [partials[0]![0]];
  if (partials.length === 2) return [partials[0]![0], partials[1]![0]];
  return partials.map((partial) => partial[0]);
}

function put(
  name: string,
  y: Tensor,
  inputs: readonly Tensor[],
  partials: readonly InputPartial[] | JointPartial | null,
  saved: readonly Tensor[],
): Tensor {
  y.op = name;
  let needs = false;
  let consumed = false;
  let derived = false;
  for (let i = 0; i < inputs.length; i++) {
    const x = inputs[i]!;
    const node = nodeOf(x);
    if (node === null) derived ||= x.derived;
    else if (node.consumed) consumed = true;
    else needs = true;
  }
  const records = needs && recording && !consumed;
  if (records) {
    y.node = new Node(name, nodesOf(inputs), partials, saved, writeTime(), null);
  } else if (needs || consumed || derived) y.derived = true;
  place(y, inputs, records);
  return y;
}

/** @internal Sees to the owner of an op's result: the scope of its inputs where loops overlap, the tape's rules in a bare loop. */
export function place(y: Tensor, inputs: readonly Tensor[], recorded: boolean): void {
  if (openLoops > 0) settle(y, inputs);
  if (y.owner !== null) return;
  if (recorded) joinGraph(y, inputs);
  else followInputs(y, inputs);
}

/**
 * Runs `fn` without recording, and frees everything made in it but what it returns.
 *
 * @throws TypeError when `fn` returns a promise. PyTorch equivalent: `torch.no_grad`.
 * @example
 * import { noGrad, tensor } from "gradine";
 * const w = tensor([1, 2], { requiresGrad: true });
 * console.log(noGrad(() => w.mul(2)).requiresGrad); // false
 */
export function noGrad<T>(fn: () => T): T {
  const before = setRecording(false);
  try {
    return runInScope("noGrad", fn, (handle) => {
      if ((handle as Tensor).derived) escapeNoGrad(handle as Tensor);
    });
  } finally {
    setRecording(before);
  }
}

/** Runs `fn` with recording, within a noGrad. PyTorch equivalent: `torch.enable_grad`. */
export function enableGrad<T>(fn: () => T): T {
  const before = setRecording(true);
  try {
    return fn();
  } finally {
    setRecording(before);
  }
}

/**
 * Runs `fn` and frees everything made in it but what it returns (tensors in arrays, objects, Maps too).
 *
 * @throws TypeError when `fn` returns a promise.
 * @example
 * import { randn, scope } from "gradine";
 * const y = scope(() => randn([100]).mul(2).sum()); // only the sum stays
 * console.log(y.shape);
 */
export function scope<T>(fn: () => T): T {
  return runInScope("scope", fn, watchHolder);
}

let recomputing = false;

/** Whether a checkpointed function runs the second time: what it changes in place (running statistics) must not change again. */
export const isRecomputing = (): boolean => recomputing;

/** @internal Runs a checkpointed function the second time. */
export function recompute<T>(fn: () => T): T {
  const before = recomputing;
  recomputing = true;
  try {
    return fn();
  } finally {
    recomputing = before;
  }
}

/**
 * Takes tensors out of their loop or scope: they live until `dispose()`. Gives back what it was given.
 *
 * @example
 * import { keep, randn, steps } from "gradine";
 * let best;
 * for (const i of steps(10)) if (i === 3) best = keep(randn([2]));
 * console.log(best.shape);
 */
export function keep<T extends Tensor | readonly Tensor[]>(tensors: T): T {
  for (const x of (tensors instanceof Tensor ? [tensors] : tensors) as readonly Tensor[]) {
    if (!(x instanceof Tensor)) throw typeError("keep", `takes tensors: got ${typeof x}`);
    if (x.released)
      throw rangeError("keep", "the tensor was already released", "Keep it in the iteration that made it.");
    moveTo(x, null);
    x.derived = false; // not loose any more: nothing releases it by itself
    watchHolder(x);
  }
  return tensors;
}

/** @internal See Tensor.detach. */
export function detach(x: Tensor): Tensor {
  const y = viewOf(x, x.shape, "detach");
  if (openLoops > 0) settle(y, [x]);
  if (y.owner === null) {
    if (nodeOf(x) !== null || x.derived) makeLoose(y);
  } else watchReads(y);
  return y;
}

/** @internal See Tensor.requiresGrad. */
export function requireGrad(x: Tensor, on: boolean): void {
  const node = nodeOf(x);
  if (node !== null && node.leaf === null) {
    throw rangeError(
      "requiresGrad",
      `${x.op} recorded this tensor: only leaves can be set`,
      "Use detach() for one that requires none.",
    );
  }
  if (!on) x.node = null;
  else if (node === null) {
    if (x.dtype !== "f32")
      throw typeError("requiresGrad", `only f32 tensors can require gradients: dtype is ${x.dtype}`);
    x.node = new Node("", [], null, nothing, 0, x);
  }
}
