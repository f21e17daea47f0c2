// A node of the tape: one recorded op. Nodes know their inputs' nodes, so that a graph is reachable from its root.
import type { Tensor } from "../tensor/index.js";

/** The gradient of one input, given the output's; written with ops, so that it can be differentiated again. */
export type Partial = (gy: Tensor) => Tensor;
/** The gradients of all inputs at once, for ops whose gradients share work; `needs[i]` tells which are wanted. */
export type JointPartial = (gy: Tensor, needs: readonly boolean[]) => readonly (Tensor | null)[];
export type Hook = (gradient: Tensor) => Tensor | undefined;

let sequence = 0;

export class Node {
  /** The op's name; "" for a leaf. */
  readonly name: string;
  /** Nodes of the inputs; null where an input requires no gradient. */
  edges: readonly (Node | null)[];
  /** One function an edge, or one for all; null for leaves and once consumed. */
  partials: readonly Partial[] | JointPartial | null;
  /** Tensors whose values the partials use: written in place since, they are no longer the values of the forward pass. */
  saved: readonly Tensor[];
  /** The write clock when it was recorded. */
  readonly time: number;
  /** Position in the order of recording. */
  readonly sequence = sequence++;
  /** The tensor that requires the gradient, for leaves. */
  readonly leaf: Tensor | null;
  hooks: Hook[] | null = null;
  /** Walked, or computed from something that was: it cannot be walked again. */
  consumed = false;
  /** Number of the last walk that met it, and its position there. */
  walk = 0;
  index = 0;

  constructor(
    name: string,
    edges: readonly (Node | null)[],
    partials: readonly Partial[] | JointPartial | null,
    saved: readonly Tensor[],
    time: number,
    leaf: Tensor | null,
  ) {
    this.name = name;
    this.edges = edges;
    this.partials = partials;
    this.saved = saved;
    this.time = time;
    this.leaf = leaf;
  }
}

/** A tensor's node. Tensors store it as the little that printing needs of it. */
export const nodeOf = (x: Tensor): Node | null => x.node as Node | null;
