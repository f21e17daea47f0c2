// What a random program's steps are drawn with, and what a step is.
import type { Tensor } from "../../src/index.js";
import { broadcastShape, count, make, type Ref } from "../reference.js";

/** An operand: an earlier value of the program, or a new leaf. */
export type Operand = { readonly node: number } | Leaf;

export interface Leaf {
  readonly leaf: Ref;
  /** Default "f32", differentiated. */
  readonly dtype?: "i32";
}

/** A call of one op. */
export interface Step {
  /** The call as it would be written, operands as $0, $1, …: what a failure prints. */
  readonly text: string;
  readonly operands: readonly Operand[];
  run(...operands: Tensor[]): Tensor;
  reference(...operands: Ref[]): Ref;
}

/** A value of the program so far. */
export interface Value {
  readonly node: number;
  readonly value: Ref;
}

/**
 * Draws a step that uses `x`, or gives null if the op cannot take these values: near a pole, a kink or a tie, or of
 * another shape. The values are known, so that a generator sees for itself.
 */
export type StepGenerator = (d: Draw, x: Value) => Step | null;

export const every = (x: Ref, holds: (value: number) => boolean): boolean => x.data.every(holds);
export const apartFrom = (x: Ref, point: number, margin: number): boolean =>
  every(x, (v) => Math.abs(v - point) >= margin);

export class Draw {
  /** The values so far, all f32. */
  readonly values: readonly Value[];
  private readonly random: () => number;

  constructor(random: () => number, values: readonly Value[]) {
    this.random = random;
    this.values = values;
  }

  uniform(low: number, high: number): number {
    return low + (high - low) * this.random();
  }

  /** An integer from low to high, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!;
  }

  shuffled<T>(list: readonly T[]): T[] {
    const order = [...list];
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.int(0, i);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }

  shape(rank = this.int(0, 4), most = 60): number[] {
    for (;;) {
      const shape = Array.from({ length: rank }, () => (this.chance(0.15) ? 1 : this.int(1, 6)));
      if (count(shape) <= most) return shape;
    }
  }

  /** An axis of a shape, counted from either end. */
  axis(rank: number): number {
    return this.int(-rank, rank - 1);
  }

  /** Some axes, at least one, counted from either end. */
  axes(rank: number): number[] {
    const chosen = this.shuffled(Array.from({ length: rank }, (_, i) => i)).slice(0, this.int(1, rank));
    return chosen.map((axis) => (this.chance(0.3) ? axis - rank : axis));
  }

  /** A new leaf of random values that keep their distance from 0. */
  leaf(shape: readonly number[], low = -2, high = 2, apart = 0): Leaf {
    const value = (): number => {
      for (;;) {
        const v = Math.fround(this.uniform(low, high));
        if (Math.abs(v) >= apart) return v;
      }
    };
    return { leaf: make(shape, value) };
  }

  /** New indices 0..n−1. */
  indices(shape: readonly number[], n: number): Leaf {
    return { leaf: make(shape, () => this.int(0, n - 1)), dtype: "i32" };
  }

  /** An earlier value of exactly this shape, or a new leaf. */
  like(shape: readonly number[]): Operand {
    const fitting = this.values.filter(({ value }) => String(value.shape) === String(shape));
    return fitting.length > 0 && this.chance(0.6) ? { node: this.pick(fitting).node } : this.leaf(shape);
  }

  /** An operand that broadcasts with x, whose values are at least `apart` from 0. */
  partner(x: Ref, apart = 0): Operand {
    const fits = (value: Ref): boolean => {
      try {
        return count(broadcastShape(x.shape, value.shape)) <= 120 && apartFrom(value, 0, apart);
      } catch {
        return false;
      }
    };
    const fitting = this.values.filter(({ value }) => fits(value));
    if (fitting.length > 0 && this.chance(0.6)) return { node: this.pick(fitting).node };
    const cut = this.int(0, x.shape.length);
    return this.leaf(
      x.shape.slice(cut).map((size) => (this.chance(0.4) ? 1 : size)),
      -2,
      2,
      apart,
    );
  }
}
