// Steps of shape and order, and of picking by index.
import {
  cat,
  clone,
  expand,
  flatten,
  indexSelect,
  permute,
  reshape,
  type SliceRange,
  slice,
  squeeze,
  transpose,
  unsqueeze,
} from "../../src/index.js";
import { positions } from "../cases/layout.js";
import * as ref from "../reference.js";
import type { StepGenerator } from "./draw.js";

/** Splits the number of elements into sizes, in another way. */
const reshaped: StepGenerator = (d, x) => {
  let rest = x.value.data.length;
  const shape: number[] = [];
  while (rest > 1 && shape.length < 4) {
    const divisors = Array.from({ length: rest }, (_, i) => i + 1).filter((size) => rest % size === 0);
    const size = shape.length === 3 ? rest : d.pick(divisors);
    shape.push(size);
    rest /= size;
  }
  if (rest > 1) shape.push(rest);
  return {
    text: `reshape($0, [${shape}])`,
    operands: [{ node: x.node }],
    run: (x) => reshape(x!, shape),
    reference: (x) => ref.reshape(x!, shape),
  };
};

const permuted: StepGenerator = (d, x) => {
  const order = d.shuffled(x.value.shape.map((_, i) => i));
  return {
    text: `permute($0, [${order}])`,
    operands: [{ node: x.node }],
    run: (x) => permute(x!, order),
    reference: (x) => ref.permute(x!, order),
  };
};

const transposed: StepGenerator = (d, x) => {
  const rank = x.value.shape.length;
  if (rank < 2) return null;
  // The last two axes most of the time: those stay in memory as they lie.
  const [a, b] = d.chance(0.7) ? [-1, -2] : [d.axis(rank), d.axis(rank)];
  return {
    text: `transpose($0, ${a}, ${b})`,
    operands: [{ node: x.node }],
    run: (x) => transpose(x!, a, b),
    reference: (x) => ref.transpose(x!, a, b),
  };
};

const sliced: StepGenerator = (d, x) => {
  const { shape } = x.value;
  if (shape.length === 0) return null;
  const end = (n: number) => (d.chance(0.4) ? null : d.int(-n, n));
  const ranges: SliceRange[] = shape
    .slice(0, d.int(1, shape.length))
    .map((n) => (d.chance(0.3) ? null : [end(n), end(n), d.pick([1, 1, 1, 2, 3, -1, -2])]));
  if (ranges.some((range, axis) => positions(range, shape[axis]!).length === 0)) return null;
  return {
    text: `slice($0, ${JSON.stringify(ranges)})`,
    operands: [{ node: x.node }],
    run: (x) => slice(x!, ranges),
    reference: (x) => x!.shape.reduce((y, n, axis) => ref.take(y, axis, positions(ranges[axis], n)), x!),
  };
};

const joined: StepGenerator = (d, x) => {
  const { shape } = x.value;
  if (shape.length === 0) return null;
  const dim = d.axis(shape.length);
  const other = shape.map((size, axis) => (axis === ref.axisOf(dim, shape.length) ? d.int(1, 3) : size));
  const operands = d.shuffled([{ node: x.node }, d.like(other), ...(d.chance(0.3) ? [{ node: x.node }] : [])]);
  return {
    text: `cat([${operands.map((_, i) => `$${i}`)}], ${dim})`,
    operands,
    run: (...xs) => cat(xs, dim),
    reference: (...xs) => ref.cat(xs, dim),
  };
};

const expanded: StepGenerator = (d, x) => {
  const shape = [
    ...Array.from({ length: d.int(0, 2) }, () => d.int(1, 3)),
    ...x.value.shape.map((size) => (size === 1 ? d.int(1, 4) : size)),
  ];
  return {
    text: `expand($0, [${shape}])`,
    operands: [{ node: x.node }],
    run: (x) => expand(x!, shape),
    reference: (x) => ref.broadcastTo(x!, shape),
  };
};

const unsqueezed: StepGenerator = (d, x) => {
  const dim = d.axis(x.value.shape.length + 1);
  const at = ref.axisOf(dim, x.value.shape.length + 1);
  const shape = [...x.value.shape.slice(0, at), 1, ...x.value.shape.slice(at)];
  return {
    text: `unsqueeze($0, ${dim})`,
    operands: [{ node: x.node }],
    run: (x) => unsqueeze(x!, dim),
    reference: (x) => ref.reshape(x!, shape),
  };
};

const squeezed: StepGenerator = (_, x) => ({
  text: "squeeze($0)",
  operands: [{ node: x.node }],
  run: (x) => squeeze(x!),
  reference: (x) =>
    ref.reshape(
      x!,
      x!.shape.filter((size) => size !== 1),
    ),
});

const flattened: StepGenerator = (d, x) => {
  const { shape } = x.value;
  if (shape.length === 0) return null;
  const from = d.int(0, shape.length - 1);
  const to = [...shape.slice(0, from), ref.count(shape.slice(from))];
  return {
    text: `flatten($0, ${from})`,
    operands: [{ node: x.node }],
    run: (x) => flatten(x!, from),
    reference: (x) => ref.reshape(x!, to),
  };
};

const selected: StepGenerator = (d, x) => {
  const { shape } = x.value;
  if (shape.length === 0) return null;
  const dim = d.axis(shape.length);
  const index = d.indices([d.int(1, 5)], shape[ref.axisOf(dim, shape.length)]!);
  return {
    text: `indexSelect($0, ${dim}, [${[...index.leaf.data]}])`,
    operands: [{ node: x.node }, index],
    run: (x, index) => indexSelect(x!, dim, index!),
    reference: (x, index) => ref.take(x!, dim, [...index!.data]),
  };
};

const cloned: StepGenerator = (_, x) => ({
  text: "clone($0)",
  operands: [{ node: x.node }],
  run: (x) => clone(x!),
  reference: (x) => x!,
});

export const generators: readonly StepGenerator[] = [
  reshaped,
  permuted,
  transposed,
  transposed, // twice: what follows may read its operand as it lies
  sliced,
  joined,
  expanded,
  unsqueezed,
  squeezed,
  flattened,
  selected,
  cloned,
];
