// The backward walk itself: from roots to leaves or chosen tensors, with the memory it needs on the way.
import { show, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { current, moveTo, runInScope, watchHolder } from "../memory/index.js";
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

/** The nodes reachable from the roots, inputs before what is computed from them. Iterative: graphs can be deep. */
export function reachable(roots: readonly Tensor[]): Node[] {
  const walk = ++walks;
  const order: Node[] = [];
  // The nodes on the way from a root, and for each the edge to look at next.
  const path: Node[] = [];
  const turns: number[] = [];
  for (let r = 0; r < roots.length; r++) {
    const root = nodeOf(roots[r]!);
    if (root === null || root.walk === walk) continue;
    root.walk = walk;
    let node = root;
    let i = 0;
    for (;;) {
      const { edges } = node;
      for (; i < edges.length; i++) {
        const edge = edges[i]!;
        if (edge === null || edge.walk === walk) continue;
        edge.walk = walk;
        if (edge.leaf === null) break;
        order.push(edge); // nothing below it
      }
      if (i < edges.length) {
        path.push(node);
        turns.push(i + 1);
        node = edges[i]!;
        i = 0;
      } else {
        order.push(node);
        if (path.length === 0) break;
        node = path.pop()!;
        i = turns.pop()!;
      }
    }
  }
  return order;
}

/** @internal The leaves that a tensor's graph leads to. */
export function leavesOf(x: Tensor): Tensor[] {
  return reachable([x]).flatMap(({ leaf }) => (leaf === null ? [] : [leaf]));
}

// What a walk wants of a node: its `mark`.
/** Its gradient, for itself or for others. */
const NEEDED = 1;
/** Its gradient is a result: a leaf's, or a target's. */
const TARGET = 2;
/** Its partials run. */
const THROUGH = 4;

/** Marks what the walk wants of each node, given which are targets (undefined: the leaves); throws when it cannot be made. */
function prepare(op: string, order: readonly Node[], targets: readonly Tensor[] | undefined): void {
  const wanted = targets === undefined ? null : new Set(targets.map(nodeOf));
  for (let i = 0; i < order.length; i++) {
    const node = order[i]!;
    let mark = (wanted === null ? node.leaf !== null : wanted.has(node)) ? NEEDED | TARGET : 0;
    const { edges } = node;
    for (let e = 0; e < edges.length; e++) {
      const edge = edges[e]!;
      if (edge === null || (edge.mark & NEEDED) === 0) continue;
      mark |= NEEDED | THROUGH;
      break;
    }
    node.mark = mark;
    node.slot = null;
    if ((mark & THROUGH) !== 0) checkUnchanged(op, node);
  }
}

function checkUnchanged(op: string, { name, consumed, saved, time }: Node): void {
  if (consumed) {
    throw new Error(
      `${op}: the graph was walked before and its saved tensors were released (${name}). ` +
        "Pass { retainGraph: true } to the first walk if you need to go through it a second time.",
    );
  }
  for (let k = 0; k < saved.length; k++) {
    const x = saved[k]!;
    if (x.storage.version > time && !x.released) {
      throw new Error(
        `${op}: a tensor that ${name} saved for its gradient was changed in place since: ${x.op} ${show(x.shape)}. ` +
          "Compute the gradient before the change, or change a clone().",
      );
    }
  }
}

/** Whether a gradient is in one slot alone and nobody else sees it; `holds` counts the slots that refer to a tensor. */
const isPrivate = (x: Tensor): boolean => x.holds === 1 && x.storage.refs === 1 && x.owner === current;

/** Adds a gradient to a node's slot. */
function gather(node: Node, gradient: Tensor, differentiable: boolean): void {
  const held = node.slot;
  if (held !== null && !differentiable && isPrivate(held)) {
    addInto(held, gradient);
    return;
  }
  const sum = held === null ? gradient : add(held, gradient);
  if (held !== null) held.holds--;
  sum.holds++;
  node.slot = sum;
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

let one: Tensor | null = null;

/** What a walk starts with where the caller gives nothing: one, kept for the next walk unless somebody changed it. */
function seedFor(root: Tensor): Tensor {
  const lasting = root.shape.length === 0 && nodeOf(root)!.hooks === null;
  if (lasting && one !== null && one.state === 0 && one.storage.version === 0) return one;
  const seed = allocate(root.shape, "f32", "backward");
  fillWith(seed, 1);
  if (lasting) {
    moveTo(seed, null);
    watchHolder(seed);
    one = seed;
  }
  return seed;
}

function runHooks(node: Node, gy: Tensor): void {
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
    node.slot = gradient;
  }
}

/**
 * The gradient that the partial under way may overwrite with its result, as nobody reads it again: those of activations
 * do. A tensor less is made, and large ones are not read from one place and written to another.
 */
export let overwritable: Tensor | null = null;

const isNeeded = (edge: Node | null): boolean => edge !== null && (edge.mark & NEEDED) !== 0;

/** Which inputs' gradients are wanted, without `map`: see nodesOf. */
function needsOf(edges: readonly (Node | null)[]): boolean[] {
  if (edges.length === 2) return [isNeeded(edges[0]!), isNeeded(edges[1]!)];
  if (edges.length === 3) return [isNeeded(edges[0]!), isNeeded(edges[1]!), isNeeded(edges[2]!)];
  return edges.map(isNeeded);
}

/** Runs the partials of a node and adds what they give to the slots of its inputs. */
function propagate(node: Node, gy: Tensor, differentiable: boolean): void {
  const { edges, partials } = node;
  const last = !differentiable && edges.length === 1 && node.hooks === null && (node.mark & TARGET) === 0;
  overwritable = last && isPrivate(gy) ? gy : null;
  if (typeof partials === "function") {
    const gradients = partials(gy, needsOf(edges));
    for (let e = 0; e < edges.length; e++) {
      const gradient = gradients[e];
      if (gradient && isNeeded(edges[e]!)) gather(edges[e]!, gradient, differentiable);
    }
    return;
  }
  for (let e = 0; e < edges.length; e++) {
    const edge = edges[e]!;
    if (isNeeded(edge)) gather(edge!, partials![e]![1](gy), differentiable);
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
  // Setting the length takes several times as long.
  while (members.length > kept) members.pop();
  if (gy.holds === 0 && gy.owner === current) gy.release("within backward()");
}

const nothingSaved: readonly Tensor[] = [];

/** Marks what was walked, lets go of what it saved, and dooms the tensors of a bare loop. */
function consume(order: readonly Node[], roots: readonly Tensor[]): void {
  for (let i = 0; i < order.length; i++) {
    const node = order[i]!;
    if ((node.mark & THROUGH) === 0) continue;
    node.consumed = true;
    node.partials = null;
    node.saved = nothingSaved;
  }
  for (let r = 0; r < roots.length; r++) {
    const graph = graphOf(roots[r]!);
    if (graph !== null) sweep(graph);
  }
}

/** Walks and calls `finish` while the gradients of the targets are in the slots of their nodes, which it gets in order. */
function walkThen<T>(walk: Walk, finish: (order: readonly Node[]) => T): T {
  const { op, roots, gradients, targets, createGraph } = walk;
  const order = reachable(roots);
  // What an outer walk has put into nodes that both meet.
  const outer = depth === 0 ? null : order.map(({ mark, slot }) => ({ mark, slot }));
  const before = setRecording(createGraph);
  depth++;
  try {
    prepare(op, order, targets);
    for (let r = 0; r < roots.length; r++) {
      const root = roots[r]!;
      const node = nodeOf(root);
      if (node !== null && (node.mark & NEEDED) !== 0) gather(node, gradients[r] ?? seedFor(root), createGraph);
    }
    for (let i = order.length - 1; i >= 0; i--) {
      const node = order[i]!;
      if (node.slot === null || (node.hooks === null && (node.mark & THROUGH) === 0)) continue;
      const made = current === null ? 0 : current.members.length;
      if (node.hooks !== null) runHooks(node, node.slot);
      const gy = node.slot;
      if ((node.mark & THROUGH) !== 0) propagate(node, gy, createGraph);
      if ((node.mark & TARGET) === 0) {
        node.slot = null;
        gy.holds--;
      }
      if (!createGraph) sweepTemporaries(gy, made);
    }
    setRecording(before);
    if (!walk.retainGraph) consume(order, roots);
    return finish(order);
  } finally {
    setRecording(before);
    overwritable = null;
    depth--;
    for (let i = order.length - 1; i >= 0; i--) {
      const node = order[i]!;
      if (node.slot !== null) node.slot.holds--;
      node.slot = null;
      if (outer !== null) Object.assign(node, outer[i]);
    }
  }
}

/** Runs a walk where its temporaries are freed: in a scope of its own, or, when it is recorded, with its graph. */
export function walkInScope<T>(walk: Walk, finish: (order: readonly Node[]) => T): T {
  if (!walk.createGraph) return runInScope("backward", () => walkThen(walk, finish));
  const graph = walk.roots.map(graphOf).find((g) => g !== null);
  if (current !== null || !graph) return walkThen(walk, finish);
  // In a bare loop everything the walk makes, recorded or not (constants), is released with the graph it walked.
  return runInScope("backward", () => {
    const result = walkThen(walk, finish);
    giveToGraph(graph, current!);
    return result;
  });
}
