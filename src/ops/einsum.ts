// Einstein summation, contracted pair by pair as matrix products.
import { describe, rangeError, show, typeError } from "../error.js";
import { stridesOf } from "../shape.js";
import { composed } from "../tape/index.js";
import type { Tensor } from "../tensor/index.js";
import { checkFloat } from "./launch.js";
import { permute, reshape } from "./layout.js";
import { matmul } from "./matmul.js";
import { sum } from "./reduce.js";
import { takeWindow } from "./window.js";

/** A tensor and the label of each of its axes. */
interface Term {
  readonly x: Tensor;
  readonly labels: readonly string[];
}

/** Labels that come twice in one operand become one axis: its diagonal. */
function diagonals({ x, labels }: Term): Term {
  const distinct = [...new Set(labels)];
  if (distinct.length === labels.length) return { x, labels };
  const own = stridesOf(x.shape);
  const strides = distinct.map((label) => labels.reduce((n, l, i) => (l === label ? n + own[i]! : n), 0));
  const shape = distinct.map((label) => x.shape[labels.indexOf(label)]!);
  return { x: takeWindow("einsum", x, { start: 0, shape, strides }), labels: distinct };
}

/** Sums over the labels that are not `wanted`. */
function sumOut({ x, labels }: Term, wanted: ReadonlySet<string>): Term {
  const gone = labels.flatMap((label, i) => (wanted.has(label) ? [] : [i]));
  return gone.length === 0 ? { x, labels } : { x: sum(x, gone), labels: labels.filter((label) => wanted.has(label)) };
}

function inOrder({ x, labels }: Term, order: readonly string[]): Tensor {
  const axes = order.map((label) => labels.indexOf(label));
  return axes.every((axis, i) => axis === i) ? x : permute(x, axes);
}

/** Two operands: `[batch, left, k] · [batch, k, right] -> [batch, left, right]`; k are the labels that nobody wants later. */
function contract(a: Term, b: Term, wanted: ReadonlySet<string>, sizes: ReadonlyMap<string, number>): Term {
  const both = a.labels.filter((label) => b.labels.includes(label));
  const batch = both.filter((label) => wanted.has(label));
  const inner = both.filter((label) => !wanted.has(label));
  const left = a.labels.filter((label) => !both.includes(label));
  const right = b.labels.filter((label) => !both.includes(label));
  const size = (labels: readonly string[]) => labels.reduce((n, label) => n * sizes.get(label)!, 1);
  const p = reshape(inOrder(a, [...batch, ...left, ...inner]), [size(batch), size(left), size(inner)]);
  const q = reshape(inOrder(b, [...batch, ...inner, ...right]), [size(batch), size(inner), size(right)]);
  const labels = [...batch, ...left, ...right];
  const product =
    batch.length === 0 ? matmul(reshape(p, p.shape.slice(1)), reshape(q, q.shape.slice(1))) : matmul(p, q);
  return {
    x: reshape(
      product,
      labels.map((label) => sizes.get(label)!),
    ),
    labels,
  };
}

/** Labels of an operand; the axes of `...` are numbered from the last, so that they broadcast as usual. */
function labelsOf(term: string, rank: number, equation: string, operand: number): string[] {
  const [before, after, ...more] = term.split("...") as [string, string | undefined, ...string[]];
  const letters = [...before, ...(after ?? "")];
  if (more.length > 0 || letters.some((letter) => !/[A-Za-z]/.test(letter))) {
    throw rangeError(
      "einsum",
      `cannot read ${describe(term)} in ${describe(equation)}`,
      "Axes are letters, and one ... at most.",
    );
  }
  const extra = rank - letters.length;
  if (after === undefined ? extra !== 0 : extra < 0) {
    throw rangeError(
      "einsum",
      `${describe(term)} names ${letters.length} axes: operand ${operand} has ${rank} (in ${describe(equation)})`,
    );
  }
  if (after === undefined) return letters;
  return [...before, ...Array.from({ length: extra }, (_, i) => `.${extra - i}`), ...after];
}

/**
 * Einstein summation: every letter is an axis; letters that the output does not name are summed over.
 *
 * @param equation for example `"bik,bkj->bij"`. Without `->` the output has the letters that come once, in alphabetical
 *   order. A letter that comes twice in one operand takes its diagonal; `...` stands for any axes, which broadcast.
 * @throws RangeError for an equation that cannot be read or sizes that differ. PyTorch: `torch.einsum`.
 * @example
 * import { einsum, tensor } from "gradine";
 * const a = tensor([[1, 2], [3, 4]]);
 * console.log(einsum("ij,jk->ik", a, a).toArray(), einsum("ii", a).item()); // [[7, 10], [15, 22]] 5
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  if (typeof equation !== "string")
    throw typeError("einsum", `the equation must be a string: got ${describe(equation)}`);
  const [inputs, output, ...more] = equation.replaceAll(/\s/g, "").split("->") as [
    string,
    string | undefined,
    ...string[],
  ];
  const parts = inputs.split(",");
  if (more.length > 0 || parts.length !== operands.length || operands.length === 0) {
    throw rangeError("einsum", `${describe(equation)} has ${parts.length} operands: got ${operands.length}`);
  }
  const terms = operands.map((x, i): Term => {
    checkFloat("einsum", `operand ${i}`, x);
    return { x, labels: labelsOf(parts[i]!, x.ndim, equation, i) };
  });
  const sizes = new Map<string, number>();
  for (const [i, { x, labels }] of terms.entries()) {
    for (const [axis, label] of labels.entries()) {
      const known = sizes.get(label);
      const own = x.shape[axis]!;
      if (known === undefined || known === 1) sizes.set(label, own);
      else if (known !== own && own !== 1) {
        throw rangeError(
          "einsum",
          `axis ${label} is ${known} and ${own} in ${describe(equation)}: operand ${i} is ${show(x.shape)}`,
        );
      }
    }
  }
  const all = terms.flatMap((term) => term.labels);
  const dots = [...new Set(all.filter((label) => label.startsWith(".")))].sort(
    (p, q) => Number(q.slice(1)) - Number(p.slice(1)),
  );
  let result: string[];
  if (output === undefined) {
    const once = [...new Set(all)].filter(
      (label) => !label.startsWith(".") && all.indexOf(label) === all.lastIndexOf(label),
    );
    result = [...dots, ...once.sort()];
  } else {
    const [before, after, ...rest] = output.split("...") as [string, string | undefined, ...string[]];
    result = after === undefined ? [...before] : [...before, ...dots, ...after];
    if (rest.length > 0 || new Set(result).size !== result.length || result.some((label) => !sizes.has(label))) {
      throw rangeError(
        "einsum",
        `the output ${describe(output)} must name axes of the operands, each once (in ${describe(equation)})`,
      );
    }
  }
  return composed("einsum", operands, () => {
    // An axis of size 1 that meets a larger one broadcasts: it is dropped, and the other operand's size is the result's.
    const squeezed = terms.map(({ x, labels }): Term => {
      const keep = labels.map((label, axis) => x.shape[axis] === sizes.get(label));
      if (keep.every(Boolean)) return { x, labels };
      return {
        x: reshape(
          x,
          x.shape.filter((_, axis) => keep[axis]),
        ),
        labels: labels.filter((_, axis) => keep[axis]),
      };
    });
    let [left, ...others] = squeezed.map(diagonals) as [Term, ...Term[]];
    while (others.length > 0) {
      const [right, ...rest] = others as [Term, ...Term[]];
      const wanted = new Set([...result, ...rest.flatMap((term) => term.labels)]);
      left = contract(
        sumOut(left, new Set([...wanted, ...right.labels])),
        sumOut(right, new Set([...wanted, ...left.labels])),
        wanted,
        sizes,
      );
      others = rest;
    }
    const y = inOrder(sumOut(left, new Set(result)), result);
    return y === left.x && operands.includes(y) ? reshape(y, y.shape) : y;
  });
}
