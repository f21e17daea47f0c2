// Steps of the matrix products.
import { linear, matmul } from "../../src/index.js";
import * as ref from "../reference.js";
import type { StepGenerator } from "./draw.js";

const product: StepGenerator = (d, x) => {
  const { shape } = x.value;
  if (shape.length === 0) return null;
  const onLeft = d.chance(0.5);
  // The axis that is summed over, and the batch axes of x.
  const k = onLeft || shape.length === 1 ? shape[shape.length - 1]! : shape[shape.length - 2]!;
  const batch = shape.slice(0, -2);
  const own = batch.slice(d.int(0, batch.length)).map((size) => (d.chance(0.3) ? 1 : size));
  const columns = d.int(1, 6);
  const other = d.chance(0.2) ? [k] : [...own, ...(onLeft ? [k, columns] : [columns, k])];
  const operands = onLeft ? [{ node: x.node }, d.like(other)] : [d.like(other), { node: x.node }];
  return {
    text: "matmul($0, $1)",
    operands,
    run: (a, b) => matmul(a!, b!),
    reference: (a, b) => ref.matmul(a!, b!),
  };
};

const affine: StepGenerator = (d, x) => {
  const { shape } = x.value;
  if (shape.length === 0) return null;
  const out = d.int(1, 9);
  const bias = d.chance(0.6) ? [d.like([out])] : [];
  return {
    text: bias.length > 0 ? "linear($0, $1, $2)" : "linear($0, $1)",
    operands: [{ node: x.node }, d.like([out, shape[shape.length - 1]!]), ...bias],
    run: (x, w, b) => linear(x!, w!, b),
    reference: (x, w, b) => {
      const y = ref.matmul(x!, ref.transpose(w!, 0, 1));
      return b === undefined ? y : ref.add(y, b);
    },
  };
};

export const generators: readonly StepGenerator[] = [product, product, affine];
