// Random programs: drawn from a seed, computed in float64, and in float64 with the noise that f32 would add.
import { count, type Ref } from "../reference.js";
import { randomFrom } from "../rows.js";
import { Draw, type Leaf, type Step, type Value } from "./draw.js";
import { families } from "./index.js";

/** A node is a leaf, or a step with the numbers of its operands. */
export type ProgramNode = Leaf | { readonly step: Step; readonly operands: readonly number[] };

export interface Program {
  readonly seed: number;
  /** In order; the last is the result. */
  readonly nodes: readonly ProgramNode[];
}

const isLeaf = (node: ProgramNode): node is Leaf => "leaf" in node;
export const isFloat = (node: ProgramNode): boolean => !isLeaf(node) || node.dtype === undefined;
export const leavesOf = ({ nodes }: Program): number[] => nodes.map((_, i) => i).filter((i) => isLeaf(nodes[i]!));

/** Values that steps may go on from: neither so large nor so many that nothing could follow. */
const usable = (x: Ref): boolean => {
  const n = count(x.shape);
  return n > 0 && n <= 120 && x.shape.length <= 6 && x.data.every((v) => Math.abs(v) <= 30);
};

/** Draws a program of 1 to 6 steps. Each uses the result of the one before. */
export function drawProgram(seed: number): Program {
  const random = randomFrom(seed * 2654435761);
  const nodes: ProgramNode[] = [];
  const values: Value[] = [];
  const start = new Draw(random, []);
  const first = start.leaf(start.shape());
  nodes.push(first);
  values.push({ node: 0, value: first.leaf });
  const all: Ref[] = [first.leaf];
  const steps = start.int(1, 6);
  let latest = values[0]!;
  for (let done = 0, tries = 0; done < steps && tries < 200; tries++) {
    const d = new Draw(random, values);
    const step = d.pick(d.pick(families))(d, latest);
    if (step === null) continue;
    const fresh: Leaf[] = [];
    const operands = step.operands.map((operand) =>
      "node" in operand ? operand.node : nodes.length + fresh.push(operand) - 1,
    );
    const value = step.reference(...operands.map((i) => all[i] ?? fresh[i - nodes.length]!.leaf));
    if (!usable(value)) continue;
    for (const leaf of fresh) {
      if (leaf.dtype === undefined) values.push({ node: nodes.length, value: leaf.leaf });
      all.push(leaf.leaf);
      nodes.push(leaf);
    }
    latest = { node: nodes.length, value };
    values.push(latest);
    all.push(value);
    nodes.push({ step, operands });
    done++;
  }
  return { seed, nodes };
}

/** A program as one would write it. */
export function textOf({ seed, nodes }: Program): string {
  const name = (i: number) => `v${i}`;
  const lines = nodes.map((node, i) =>
    isLeaf(node)
      ? `${name(i)} = ${node.dtype ?? "f32"} [${node.leaf.shape}]`
      : `${name(i)} = ${node.step.text.replace(/\$(\d+)/g, (_, k) => name(node.operands[Number(k)]!))}`,
  );
  return `FUZZ_SEED=${seed}:\n  ${lines.join("\n  ")}`;
}

/**
 * What computing in f32 does to a program, at each operand and each result: a value v is off by a few units in the last
 * place, and so is a derivative that passes there, for a reason of its own. Both are drawn once; near the point v0 where
 * the noise was drawn, v becomes v0·(1 + δ) + (v − v0)·(1 + δ'), so that differences see the noise of the derivative.
 */
export class Noise {
  private readonly sites: { base: Float64Array; value: Float64Array; slope: Float64Array }[] = [];
  private next = 0;
  private readonly random: () => number;
  private readonly size: number;

  constructor(seed: number, size: number) {
    this.random = randomFrom(seed);
    this.size = size;
  }

  /** Begins another evaluation. */
  rewind(): void {
    this.next = 0;
  }

  apply(x: Ref): Ref {
    const n = x.data.length;
    const drawn = () => Float64Array.from({ length: n }, () => this.size * (2 * this.random() - 1));
    this.sites[this.next] ??= { base: x.data.slice(), value: drawn(), slope: drawn() };
    const { base, value, slope } = this.sites[this.next++]!;
    return {
      shape: x.shape,
      data: x.data.map((v, i) => base[i]! * (1 + value[i]!) + (v - base[i]!) * (1 + slope[i]!)),
    };
  }
}

/** The program's result; `leaves` replaces the values of leaves by number. */
export function evaluate(program: Program, leaves: ReadonlyMap<number, Ref>, noise?: Noise): Ref {
  noise?.rewind();
  const { nodes } = program;
  const values: Ref[] = [];
  nodes.forEach((node, i) => {
    if (isLeaf(node)) values.push(leaves.get(i) ?? node.leaf);
    else {
      const inputs = node.operands.map((k) => (noise && isFloat(nodes[k]!) ? noise.apply(values[k]!) : values[k]!));
      const y = node.step.reference(...inputs);
      values.push(noise ? noise.apply(y) : y);
    }
  });
  return values[values.length - 1]!;
}
