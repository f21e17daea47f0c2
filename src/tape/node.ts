// A node of the tape: one recorded op. Nodes know their inputs' nodes, so that a graph is reachable from its root.
import type { Tensor } from "../tensor/index.js";

/** The gradient of one input, given the output's; written with ops, so that it can be differentiated again. */
export type Partial = (gy: Tensor) => Tensor;
/** An input and its gradient's function. */
export type InputPartial = readonly [Tensor, Partial];
/** The gradients of all inputs at once, for ops whose gradients share work; `needs[i]` tells which are wanted. */
export type JointPartial = (gy: Tensor, needs: readonly boolean[]) => readonly (Tensor | null)[];
export type Hook = (gradient: Tensor) => Tensor | undefined;

let sequence = 0;

export class Node {
  /** The op's name; "" for a leaf. */
  declare readonly name: string;
  /** Nodes of the inputs; null where an input requires no gradient. */
  declare readonly edges: readonly (Node | null)[];
  /** Each input with its function, or one function for all; null for leaves and once consumed. */
  declare partials: readonly InputPartial[] | JointPartial | null;
  /** Tensors whose values the partials use: written in place since, they are no longer the values of the forward pass. */
  declare saved: readonly Tensor[];
  /** The write clock when it was recorded. */
  declare readonly time: number;
  /** The tensor that requires the gradient, for leaves. */
  declare readonly leaf: Tensor | null;
  /** Position in the order of recording. */
  declare readonly sequence: number;
  declare hooks: Hook[] | null;
  /** Walked, or computed from something that was: it cannot be walked again. */
  declare consumed: boolean;
  /** Number of the last walk that met it, what that walk wants of it, and the gradient that it has gathered. */
  declare walk: number;
  declare mark: number;
  declare slot: Tensor | null;

  constructor(
    name: string,
    edges: readonly (Node | null)[],
    partials: readonly InputPartial[] | JointPartial | null,
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
    this.sequence = sequence++;
    this.hooks = null;
    this.consumed = false;
    this.walk = 0;
    this.mark = 0;
    this.slot = null;
  }
}

/** A tensor's node. Tensors store it as the little that printing needs of it. */
export const nodeOf = (x: Tensor): Node | null => x.node as Node | null;

// What an op of few inputs does on the tape: with `map`, or a function given to one loop for all, it costs more than the rest.

/** The inputs' nodes. */
export function nodesOf(inputs: readonly Tensor[]): (Node | null)[] {
  if (inputs.length === 1) return [nodeOf(inputs[0]!)];
  if (inputs.length === 2) return [nodeOf(inputs[0]!), nodeOf(inputs[1]!)];
  if (inputs.length === 3) return [nodeOf(inputs[0]!), nodeOf(inputs[1]!), nodeOf(inputs[2]!)];
  return inputs.map(nodeOf);
}
