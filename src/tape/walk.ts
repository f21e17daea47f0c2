// The backward walk itself: from roots to leaves or chosen tensors, with the memory it needs on the way.
import { show, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { current, runInScope } from "../memory/index.js";
import { sameShape } from "../shape.js";
import { allocate, fillWith, ptr, Tensor } from "../tensor/index.js";
import { giveToGraph, graphOf, sweep } from "./graph.js";
import { type Node, nodeOf } from "./node.js";
import { setRecording } from "./record.js";

// Ops that the walk itself needs, recorded under createGraph; put in by ops/, which stands above this folder.
export let add: (a: Tensor, b: Tensor) => Tensor;
export let clone: (x: Tensor) => Tensor;
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

/** The nodes that the roots' graph leads to. */
export function reachable(roots: readonly Tensor[]): Node[] {
  const outer: number[] = [];
  const order = orderFrom(roots.map(nodeOf), outer);
  restoreIndices(order, outer);
  return order;
}

/** @internal The leaves that a tensor's graph leads to. */
export function leavesOf(x: Tensor): Tensor[] {
  return reachable([x]).flatMap(({ leaf }) => (leaf === null ? [] : [leaf]));
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
export function addInto(y: Tensor, x: Tensor): void {
  const to = ptr(y);
  kernels.add(to, ptr(x), to, 1, 1, 1, y.numel, 0, 0, 0, 1, 0, 0, 0, 1);
}

export interface Walk {
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
export function walkInScope<T extends Tensor | (Tensor | undefined)[]>(walk: Walk, finish: (results: Results) => T): T {
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
