// Prints tensors as PyTorch does: aligned columns, four decimals, summarised beyond 1000 elements.
import { show } from "../error.js";
import type { Tensor } from "./tensor.js";

const edgeItems = 3;
const summariseAbove = 1000;

/** Which form all numbers of one print share: integers with a dot, four decimals, or scientific. */
function numberFormat(values: readonly number[], integers: boolean): (value: number) => string {
  const special = (v: number) => (Number.isNaN(v) ? "nan" : v > 0 ? "inf" : "-inf");
  const finite = values.filter(Number.isFinite);
  const magnitudes = finite.filter((v) => v !== 0).map(Math.abs);
  const largest = Math.max(0, ...magnitudes);
  const smallest = Math.min(Infinity, ...magnitudes);
  let text: (v: number) => string;
  if (integers) text = (v) => String(v);
  else if (finite.every((v) => Number.isInteger(v))) {
    text = largest >= 1e8 ? scientific : (v) => `${Object.is(v, -0) ? "-0" : v}.`;
  } else text = largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4 ? scientific : (v) => v.toFixed(4);
  return (v) => (Number.isFinite(v) ? text(v) : special(v));
}

/** `1.2346e-05`: JavaScript writes e-5. */
function scientific(value: number): string {
  const [mantissa, exponent] = value.toExponential(4).split("e") as [string, string];
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

/** @internal The text of `String(tensor)`; never throws. */
export function format(x: Tensor): string {
  const suffix = [
    x.numel === 0 && x.ndim !== 1 ? `size=${show(x.shape)}` : "",
    x.dtype === "i32" || (x.dtype !== "f32" && x.numel === 0) ? `dtype=${x.dtype}` : "",
    x.requiresGrad ? (x.node!.name === "" ? "requiresGrad=true" : `gradFn=${x.node!.name}`) : "",
  ]
    .filter(Boolean)
    .map((part) => `, ${part}`)
    .join("");
  if (x.released && x.numel !== 1) return `tensor(<released ${x.cause}>, size=${show(x.shape)}, dtype=${x.dtype})`;
  if (x.numel === 0) return `tensor([]${suffix})`;
  const data = x.toTypedArray();
  const summarise = x.numel > summariseAbove;
  // Indices along an axis that are shown; -1 stands for the dots.
  const shown = (size: number): number[] => {
    const all = Array.from({ length: size }, (_, i) => i);
    return summarise && size > 2 * edgeItems ? [...all.slice(0, edgeItems), -1, ...all.slice(-edgeItems)] : all;
  };
  const visible: number[] = [];
  const collect = (axis: number, at: number): void => {
    if (axis === x.ndim) visible.push(data[at]!);
    else for (const i of shown(x.shape[axis]!)) if (i >= 0) collect(axis + 1, at * x.shape[axis]! + i);
  };
  collect(0, 0);
  const text =
    x.dtype === "bool" ? (v: number) => (v === 1 ? "true" : "false") : numberFormat(visible, x.dtype !== "f32");
  const width = x.ndim === 0 ? 0 : Math.max(...visible.map((v) => text(v).length));
  const build = (axis: number, at: number): string => {
    if (axis === x.ndim) return text(data[at]!).padStart(width);
    const last = axis === x.ndim - 1;
    const parts = shown(x.shape[axis]!).map((i) => (i < 0 ? "..." : build(axis + 1, at * x.shape[axis]! + i)));
    const separator = last ? ", " : `,${"\n".repeat(x.ndim - axis - 1)}${" ".repeat("tensor(".length + axis + 1)}`;
    const lineLength = 80;
    if (!last || parts.join(separator).length <= lineLength) return `[${parts.join(separator)}]`;
    const perLine = Math.max(1, Math.floor(lineLength / (width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < parts.length; i += perLine) lines.push(parts.slice(i, i + perLine).join(", "));
    return `[${lines.join(`,\n${" ".repeat("tensor(".length + axis + 1)}`)}]`;
  };
  return `tensor(${build(0, 0)}${suffix})`;
}
