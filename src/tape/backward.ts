// The backward walk: gradients of roots with respect to leaves (`backward`) or to chosen tensors (`grad`).
import { checkOptions, rangeError, show, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { current, type Handle, moveTo, runInScope } from "../memory/index.js";
import { sameShape } from "../shape.js";
import { allocate, type BackwardOptions, fillWith, ptr, Tensor } from "../tensor/index.js";
import { giveToGraph, graphOf, sweep } from "./graph.js";
import { type Hook, type Node, nodeOf } from "./node.js";
import { setRecording } from "./record.js";

// Ops that the walk itself needs, recorded under createGraph; put in by ops/, which stands above this folder.
let add: (a: Tensor, b: Tensor) => Tensor;
let clone: (x: Tensor) => Tensor;
export function installWalkOps(ops: { add: typeof add; clone: typeof clone }): void {
  ({ add, clone } = ops);
}

let walks = 0;
/** Walks under way: a partial may walk a graph of its own (checkpoint), which shares leaves with the outer one. */
let depth = 0;

/**
 * Nodes reachable from the roots, inputs before what is computed from them, with their `index` set. Iterative: graphs
 * can be deep. Within another walk, the indices that are overwritten go to `outer`, for `restoreIndices`.
 */
function orderFrom(roots: readonly (Node | null)[], outer: number[]): Node[] {
  const walk = ++walks;
  const order: Node[] = [];
  const stack: Node[] = [];
  const next: number[] = []; // the edge to look at next, for each node on the stack
  for (const root of roots) {
    if (root === null || root.walk === walk) continue;
    root.walk = walk;
    stack.push(root);
    next.push(0);
    while (stack.length > 0) {
      const top = stack.length - 1;
      const node = stack[top]!;
      const { edges } = node;
      let i = next[top]!;
      while (i < edges.length && (edges[i] === null || edges[i]!.walk === walk)) i++;
      if (i < edges.length) {
        const edge = edges[i]!;
        next[top] = i + 1;
        edge.walk = walk;
        stack.push(edge);
        next.push(0);
      } else {
        if (depth > 0) outer.push(node.index);
        node.index = order.length;
        order.push(node);
        stack.pop();
        next.pop();
      }
    }
  }
  return order;
}

/** @internal The leaves that a tensor's graph leads to. */
export function leavesOf(x: Tensor): Tensor[] {
  const outer: number[] = [];
  const order = orderFrom([nodeOf(x)], outer);
  restoreIndices(order, outer);
  return order.flatMap(({ leaf }) => (leaf === null ? [] : [leaf]));
}

function restoreIndices(order: readonly Node[], outer: readonly number[]): void {
  for (let i = 0; i < outer.length; i++) order[i]!.index = outer[i]!;
}

// What a walk wants of a node.
/** Its gradient, for itself or for others. */
const NEEDED = 1;
/** Its gradient is a result: a leaf's, or a target's. */
const TARGET = 2;
/** Its partials run. */
const THROUGH = 4;

/** Throws, before anything runs, when the walk cannot be made. */
function checkWalk(op: string, order: readonly Node[], marks: readonly number[]): void {
  for (let i = 0; i < order.length; i++) {
    if ((marks[i]! & THROUGH) === 0) continue;
    const node = order[i]!;
    if (node.consumed) {
      throw new Error(
        `${op}: the graph was walked before and its saved tensors were released (${node.name}). ` +
          "Pass { retainGraph: true } to the first walk if you need to go through it a second time.",
      );
    }
    const { saved } = node;
    for (let k = 0; k < saved.length; k++) {
      const x = saved[k]!;
      if (x.storage.version > node.time) {
        throw new Error(
          `${op}: a tensor that ${node.name} saved for its gradient was changed in place since: ${x.op} ${show(x.shape)}. ` +
            "Compute the gradient before the change, or change a clone().",
        );
      }
    }
  }
}

/** Gradients that one walk gathers; `holds` of a tensor counts the slots that refer to it. */
class Slots {
  readonly slots: (Tensor | undefined)[];
  private readonly differentiable: boolean;

  constructor(size: number, differentiable: boolean) {
    this.slots = new Array<Tensor | undefined>(size).fill(undefined);
    this.differentiable = differentiable;
  }

  add(index: number, gradient: Tensor): void {
    const held = this.slots[index];
    if (held === undefined) {
      this.slots[index] = gradient;
      gradient.holds++;
      return;
    }
    if (!this.differentiable && held.holds === 1 && held.storage.refs === 1 && held.owner === current) {
      addInto(held, gradient); // nobody else sees this tensor
      return;
    }
    held.holds--;
    const sum = add(held, gradient);
    sum.holds++;
    this.slots[index] = sum;
  }
}

/** y += x. */
function addInto(y: Tensor, x: Tensor): void {
  const to = ptr(y);
  kernels.add(to, ptr(x), to, 1, 1, 1, y.numel, 0, 0, 0, 1, 0, 0, 0, 1);
}

interface Walk {
  readonly op: string;
  readonly roots: readonly Tensor[];
  readonly gradients: readonly (Tensor | undefined)[];
  /** Tensors whose gradients are wanted; undefined: all leaves. */
  readonly targets: readonly Tensor[] | undefined;
  readonly retainGraph: boolean;
  readonly createGraph: boolean;
}

/** The results of a walk: nodes and their gradients, the latest recorded first. */
interface Results {
  readonly nodes: Node[];
  readonly gradients: Tensor[];
}

/** What the walk wants of each node, given which are targets (null: the leaves). */
function marksOf(order: readonly Node[], wanted: ReadonlySet<Node | null> | null): number[] {
  const marks = new Array<number>(order.length);
  for (let i = 0; i < order.length; i++) {
    const node = order[i]!;
    let mark = (wanted === null ? node.leaf !== null : wanted.has(node)) ? NEEDED | TARGET : 0;
    const { edges } = node;
    for (let e = 0; e < edges.length; e++) {
      const edge = edges[e]!;
      if (edge === null || (marks[edge.index]! & NEEDED) === 0) continue;
      mark |= NEEDED | THROUGH;
      break;
    }
    marks[i] = mark;
  }
  return marks;
}

/** Walks and gives the gradients of the targets, or of the leaves. */
function walkBack(walk: Walk): Results {
  const { op, roots, targets, createGraph } = walk;
  const outer: number[] = [];
  const order = orderFrom(roots.map(nodeOf), outer);
  const marks = marksOf(order, targets === undefined ? null : new Set(targets.map(nodeOf)));
  checkWalk(op, order, marks);

  const before = setRecording(createGraph);
  const slots = new Slots(order.length, createGraph);
  const nodes: Node[] = [];
  const gradients: Tensor[] = [];
  depth++;
  try {
    for (let r = 0; r < roots.length; r++) {
      const root = roots[r]!;
      const node = nodeOf(root);
      if (node === null || (marks[node.index]! & NEEDED) === 0) continue;
      let seed = walk.gradients[r];
      if (seed === undefined) {
        seed = allocate(root.shape, "f32", "backward");
        fillWith(seed, 1);
      }
      slots.add(node.index, seed);
    }
    for (let i = order.length - 1; i >= 0; i--) {
      const node = order[i]!;
      let gy = slots.slots[i];
      const mark = marks[i]!;
      if (gy === undefined || (mark & NEEDED) === 0) continue;
      const made = current === null ? 0 : current.members.length;
      if (node.hooks !== null) gy = runHooks(node, gy);
      if ((mark & TARGET) !== 0) {
        nodes.push(node);
        gradients.push(gy);
        gy.holds++;
      }
      if ((mark & THROUGH) !== 0) propagate(node, gy, marks, slots);
      slots.slots[i] = undefined;
      gy.holds--;
      if (!createGraph) sweepTemporaries(gy, made);
    }
  } finally {
    depth--;
    setRecording(before);
    restoreIndices(order, outer);
  }
  for (let i = 0; i < gradients.length; i++) gradients[i]!.holds = 0;
  if (!walk.retainGraph) consume(order, marks, roots);
  return { nodes, gradients };
}

function runHooks(node: Node, gy: Tensor): Tensor {
  let gradient = gy;
  for (const hook of node.hooks!) {
    const replaced = hook(gradient);
    if (replaced === undefined) continue;
    if (!(replaced instanceof Tensor) || !sameShape(replaced.shape, gradient.shape)) {
      throw typeError(
        "registerHook",
        `a hook gives a tensor of the gradient's shape ${show(gradient.shape)} or undefined`,
      );
    }
    gradient.holds--;
    replaced.holds++;
    gradient = replaced;
  }
  return gradient;
}

/** Runs the partials of a node and adds what they give to the slots of its inputs. */
function propagate(node: Node, gy: Tensor, marks: readonly number[], slots: Slots): void {
  const { edges, partials } = node;
  if (typeof partials === "function") {
    const needs = edges.map((edge) => edge !== null && (marks[edge.index]! & NEEDED) !== 0);
    const gradients = partials(gy, needs);
    for (let e = 0; e < edges.length; e++) if (needs[e] && gradients[e]) slots.add(edges[e]!.index, gradients[e]!);
    return;
  }
  for (let e = 0; e < edges.length; e++) {
    const edge = edges[e]!;
    if (edge !== null && (marks[edge.index]! & NEEDED) !== 0) slots.add(edge.index, partials![e]!(gy));
  }
}

/** Frees what a node's partials made and no slot holds, so that a walk needs little more than its widest point. */
function sweepTemporaries(gy: Tensor, mark: number): void {
  const { members } = current!;
  let kept = mark;
  for (let i = mark; i < members.length; i++) {
    const x = members[i] as Tensor;
    if (x.owner !== current) continue;
    if (x.holds > 0) members[kept++] = x;
    else x.release("within backward()");
  }
  members.length = kept;
  if (gy.holds === 0 && gy.owner === current) gy.release("within backward()");
}

const nothingSaved: readonly Tensor[] = [];

/** Marks what was walked, lets go of what it saved, and dooms the tensors of a bare loop. */
function consume(order: readonly Node[], marks: readonly number[], roots: readonly Tensor[]): void {
  for (let i = 0; i < order.length; i++) {
    const node = order[i]!;
    if ((marks[i]! & THROUGH) === 0) continue;
    node.consumed = true;
    node.partials = null;
    node.saved = nothingSaved;
  }
  for (const root of roots) {
    const graph = graphOf(root);
    if (graph !== null) sweep(graph);
  }
}

/** Runs a walk where its temporaries are freed: in a scope of its own, or, when it is recorded, with its graph. */
function walkInScope<T extends Tensor | (Tensor | undefined)[]>(walk: Walk, finish: (results: Results) => T): T {
  if (!walk.createGraph) return runInScope("backward", () => finish(walkBack(walk)));
  const graph = walk.roots.map(graphOf).find((g) => g !== null);
  if (current !== null || !graph) return finish(walkBack(walk));
  // In a bare loop everything the walk makes, recorded or not (constants), is released with the graph it walked.
  return runInScope("backward", () => {
    const result = finish(walkBack(walk));
    giveToGraph(graph, current!);
    return result;
  });
}

/** @internal See Tensor.backward. */
export function backward(x: Tensor, gradient?: Tensor, options: BackwardOptions = {}): void {
  checkOptions("backward", options, ["retainGraph", "createGraph"]);
  const createGraph = options.createGraph ?? false;
  checkRoot("backward", x, gradient);
  walkInScope(
    {
      op: "backward",
      roots: [x],
      gradients: [gradient],
      targets: undefined,
      createGraph,
      retainGraph: options.retainGraph ?? createGraph,
    },
    ({ nodes, gradients }) => {
      for (let i = 0; i < nodes.length; i++) accumulate(nodes[i]!.leaf!, gradients[i]!, createGraph);
      return [];
    },
  );
}

function checkRoot(op: string, x: Tensor, gradient: Tensor | undefined): void {
  if (!(x instanceof Tensor)) throw typeError(op, `an output must be a tensor: got ${typeof x}`);
  if (nodeOf(x) === null) {
    throw new Error(
      `${op}: the tensor requires no gradient: ${x.op} ${show(x.shape)}. ` +
        (x.derived
          ? "It was computed under noGrad(), detached, or from a graph that backward() had consumed."
          : "No input of its ops has requiresGrad."),
    );
  }
  if (gradient === undefined) {
    if (x.numel !== 1) {
      throw rangeError(
        op,
        `a gradient can be left out for one element only: the output is ${show(x.shape)}`,
        "Reduce it with sum() or mean(), or pass the gradient.",
      );
    }
  } else if (!(gradient instanceof Tensor) || !sameShape(gradient.shape, x.shape)) {
    throw rangeError(
      op,
      `the gradient must have the output's shape ${show(x.shape)}: got ${gradient instanceof Tensor ? show(gradient.shape) : typeof gradient}`,
    );
  }
}

/** leaf.grad += gradient; the gradient itself is taken when nothing else refers to it. */
function accumulate(leaf: Tensor, gradient: Tensor, createGraph: boolean): void {
  const held = leaf.gradient;
  if (held !== null) {
    if (createGraph || held.requiresGrad) leaf.grad = own(add(held, gradient));
    else {
      held.storage.written();
      addInto(held, gradient);
    }
    return;
  }
  const exclusive = gradient.owner !== null && gradient.owner === current && gradient.storage.refs === 1;
  if (createGraph || exclusive) {
    leaf.grad = own(gradient);
    return;
  }
  const copy = allocate(gradient.shape, "f32", "backward");
  kernels.copyStrided(ptr(gradient), ptr(copy), 1, 1, 1, copy.numel, 0, 0, 0, 1, 0, 0, 0, 1);
  leaf.grad = own(copy);
}

/** A gradient belongs to its tensor: no scope releases it. */
function own(gradient: Tensor): Tensor {
  moveTo(gradient, null);
  gradient.op = "grad";
  return gradient;
}

/** Options of `grad`. */
export interface GradOptions extends BackwardOptions {
  /** Cotangents of the outputs, each of its output's shape; default 1 for one-element outputs. */
  readonly gradOutputs?: Tensor | readonly (Tensor | undefined)[];
  /** Give `null` for inputs that the outputs do not depend on, instead of throwing; default false. */
  readonly allowUnused?: boolean;
}

type Gradients<O extends GradOptions> = O extends { readonly allowUnused: true } ? (Tensor | null)[] : Tensor[];

/**
 * Gradients of outputs with respect to inputs, as tensors; no `grad` field is touched.
 *
 * @param outputs one tensor or several.
 * @param inputs the tensors to differentiate by: leaves, or results of ops.
 * @param options `createGraph` records the walk, so that its results can be differentiated again.
 * @returns an array, one gradient an input.
 * @throws Error when an input takes no part (unless `allowUnused`), or the graph was walked before.
 * PyTorch equivalent: `torch.autograd.grad`.
 * @example
 * import { grad, tensor } from "gradine";
 * const x = tensor(3, { requiresGrad: true });
 * const [dx] = grad(x.mul(x).mul(x), x, { createGraph: true }); // 3 x² = 27
 * const [d2x] = grad(dx, x);                                     // 6 x = 18
 * console.log(dx.item(), d2x.item());
 */
export function grad<O extends GradOptions>(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: O = {} as O,
): Gradients<O> {
  checkOptions("grad", options, ["retainGraph", "createGraph", "gradOutputs", "allowUnused"]);
  const roots = outputs instanceof Tensor ? [outputs] : outputs;
  const targets = inputs instanceof Tensor ? [inputs] : inputs;
  const given = options.gradOutputs;
  const cotangents = given === undefined ? [] : given instanceof Tensor ? [given] : given;
  roots.forEach((x, i) => checkRoot("grad", x, cotangents[i]));
  targets.forEach((x, i) => {
    if (!(x instanceof Tensor)) throw typeError("grad", `inputs must be tensors: got ${typeof x} (input ${i})`);
    if (nodeOf(x) === null)
      throw new Error(
        `grad: input ${i} requires no gradient: ${x.op} ${show(x.shape)}. Set requiresGrad before computing the outputs.`,
      );
  });
  const createGraph = options.createGraph ?? false;
  const walk: Walk = {
    op: "grad",
    roots,
    gradients: roots.map((_, i) => cotangents[i]),
    targets,
    createGraph,
    retainGraph: options.retainGraph ?? createGraph,
  };
  // An unused input is found before the walk runs, so that the graph is not consumed by a call that throws.
  if (!options.allowUnused) {
    const outer: number[] = [];
    const order = orderFrom(roots.map(nodeOf), outer);
    restoreIndices(order, outer);
    const reachable = new Set(order);
    targets.forEach((x, i) => {
      if (!reachable.has(nodeOf(x)!)) {
        throw new Error(
          `grad: the outputs do not depend on input ${i}: ${x.op} ${show(x.shape)}. Pass { allowUnused: true } to get null for it.`,
        );
      }
    });
  }
  const gradients = walkInScope(walk, (results) => {
    const seen = new Set<Handle>();
    return targets.map((target) => {
      const gradient = results.gradients[results.nodes.indexOf(nodeOf(target)!)];
      // A cotangent, a saved tensor, or one gradient of two inputs: each result is a tensor of its own.
      if (
        gradient === undefined ||
        (!seen.has(gradient) && !cotangents.includes(gradient) && !createdBefore(gradient, createGraph))
      ) {
        if (gradient !== undefined) seen.add(gradient);
        return gradient;
      }
      return clone(gradient);
    });
  });
  return gradients.map((gradient) => gradient ?? null) as Gradients<O>;
}

const createdBefore = (gradient: Tensor, createGraph: boolean): boolean => !createGraph && gradient.owner !== current;

/** @internal See Tensor.registerHook. */
export function registerHook(x: Tensor, hook: Hook): () => void {
  const node = nodeOf(x);
  if (node === null) throw rangeError("registerHook", `the tensor requires no gradient: ${x.op} ${show(x.shape)}`);
  (node.hooks ??= []).push(hook);
  return () => {
    node.hooks = node.hooks?.filter((h) => h !== hook) ?? null;
  };
}
