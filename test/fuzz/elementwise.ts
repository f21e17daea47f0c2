// Steps of elementwise arithmetic and activations.
import { add, div, exp, log, mul, neg, relu, sigmoid, sqrt, square, sub, type Tensor, tanh } from "../../src/index.js";
import { map, type Ref, zip } from "../reference.js";
import { apartFrom, every, type StepGenerator } from "./draw.js";

/** A function of one value, where `takes` holds for all values. */
function unary(
  name: string,
  call: (x: Tensor) => Tensor,
  of: (v: number) => number,
  takes: (x: Ref) => boolean = () => true,
): StepGenerator {
  return (_, x) =>
    takes(x.value)
      ? { text: `${name}($0)`, operands: [{ node: x.node }], run: (x) => call(x!), reference: (x) => map(x!, of) }
      : null;
}

/** Two operands in either order, or a number in place of one; divisors keep away from 0. */
function binary(
  name: string,
  call: (a: Tensor | number, b: Tensor | number) => Tensor,
  of: (a: number, b: number) => number,
  apart = 0,
): StepGenerator {
  return (d, x) => {
    const operands = [{ node: x.node }];
    const number = Math.fround(d.uniform(0.5, 2) * (d.chance(0.5) ? 1 : -1));
    if (d.chance(0.15)) {
      const text = `${name}($0, ${number})`;
      return { text, operands, run: (x) => call(x!, number), reference: (x) => map(x!, (v) => of(v, number)) };
    }
    if (d.chance(0.15) && apartFrom(x.value, 0, apart)) {
      const text = `${name}(${number}, $0)`;
      return { text, operands, run: (x) => call(number, x!), reference: (x) => map(x!, (v) => of(number, v)) };
    }
    const partner = d.partner(x.value, apart);
    const call2 = {
      text: `${name}($0, $1)`,
      run: (a: Tensor, b: Tensor) => call(a, b),
      reference: (a: Ref, b: Ref) => zip(a, b, of),
    };
    if (d.chance(0.5) && apartFrom(x.value, 0, apart)) return { ...call2, operands: [d.partner(x.value), ...operands] };
    return { ...call2, operands: [...operands, partner] };
  };
}

const positive = (x: Ref): boolean => every(x, (v) => v >= 0.3);
/** Derivatives computed from y, 1 - y² and y (1 - y), keep few digits where y is nearly 1, in PyTorch too. */
const notSaturated = (x: Ref): boolean => every(x, (v) => Math.abs(v) <= 3);

export const generators: readonly StepGenerator[] = [
  binary("add", add, (a, b) => a + b),
  binary("sub", sub, (a, b) => a - b),
  binary("mul", mul, (a, b) => a * b),
  binary("div", div, (a, b) => a / b, 0.4),
  unary("neg", neg, (v) => -v),
  unary("exp", exp, Math.exp, (x) => every(x, (v) => v <= 3)),
  unary("log", log, Math.log, positive),
  unary("sqrt", sqrt, Math.sqrt, positive),
  unary("square", square, (v) => v * v),
  unary(
    "relu",
    relu,
    (v) => Math.max(v, 0),
    (x) => apartFrom(x, 0, 0.02),
  ),
  unary("sigmoid", sigmoid, (v) => 1 / (1 + Math.exp(-v)), notSaturated),
  unary("tanh", tanh, Math.tanh, notSaturated),
];
