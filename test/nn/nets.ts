// Small modules and a helper that the tests of modules share.
import type { Tensor } from "../../src/index.js";
import { Linear, Module } from "../../src/nn/index.js";

/** What an error says. */
export const message = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was thrown";
};

/** A model whose parts are only held. */
export class Bag extends Module {
  static override typeName = "Bag";
  [field: string]: unknown;
  constructor(fields: object = {}) {
    super();
    Object.assign(this, fields);
  }
  forward(x: Tensor): Tensor {
    return x;
  }
}

/** A residual block of one layer. */
export class Block extends Module {
  static override typeName = "Block";
  inner: Linear;
  constructor(n: number) {
    super();
    this.inner = new Linear(n, n);
  }
  forward(x: Tensor): Tensor {
    return x.add(this.inner.forward(x).relu());
  }
}
