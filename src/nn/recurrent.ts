// Recurrent layers and their cells, with PyTorch's parameters: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, …
import { checkInteger, checkNumber, describe, rangeError, show } from "../error.js";
import {
  type CellKind,
  type CellWeights,
  cat,
  cellStep,
  dropout,
  gateCount,
  mul,
  recurrent,
  reshape,
  slice,
  transpose,
} from "../ops/index.js";
import { sameShape } from "../shape.js";
import { Tensor, tensor, zeros } from "../tensor/index.js";
import { type Given, Layer, settle } from "./layer.js";
import { boundOf, uniformParameter } from "./linear.js";
import type { Parameter } from "./parameter.js";

/** Options of `RNN`, `LSTM`, `GRU`. */
export interface RecurrentLayerOptions {
  /** Layers on top of one another; default 1. */
  readonly numLayers: number;
  /** Learn biases; default true. */
  readonly bias: boolean;
  /** Input and output are `[batch, time, features]` instead of `[time, batch, features]`; default false. */
  readonly batchFirst: boolean;
  /** Probability of dropout on the outputs of every layer but the last; default 0. */
  readonly dropout: number;
  /** Run through the sequence in both directions and join the outputs; default false. */
  readonly bidirectional: boolean;
}

/** Options of a call. */
export interface SequenceOptions {
  /**
   * Length of each sequence of a padded batch: beyond it the output is 0, the final state is that of the last step, and
   * the reverse direction begins there. Default: all are as long as the batch.
   */
  readonly lengths?: readonly number[] | Tensor | undefined;
}

/** An LSTM's state: hidden and cell, each `[layers · directions, batch, hidden]`. */
export type LSTMState = [h: Tensor, c: Tensor];

const settings: RecurrentLayerOptions = {
  numLayers: 1,
  bias: true,
  batchFirst: false,
  dropout: 0,
  bidirectional: false,
};

/** The tensors of a state; whether it is one is checked later. */
const listOf = (state: Tensor | LSTMState | undefined): readonly Tensor[] =>
  Array.isArray(state) ? state : [state as Tensor];

/** The lengths as an i32 tensor, checked. */
function lengthsOf(op: string, given: readonly number[] | Tensor, batch: number, time: number): Tensor {
  const list = Array.from(given instanceof Tensor ? given.toTypedArray() : given);
  if (list.length !== batch)
    throw rangeError(op, `lengths must hold ${batch} numbers, one a sequence: got ${list.length}`);
  list.forEach((length, i) => {
    if (!Number.isInteger(length) || length < 1 || length > time) {
      throw rangeError(op, `lengths must be integers from 1 to ${time}: got ${describe(length)} (sequence ${i})`);
    }
  });
  return tensor(list, { dtype: "i32" });
}

/** The state as h, and c of an LSTM, of shape `full`, default 0; `shape`: what it must have been given as, without a batch axis or with it. */
function initialState(
  op: string,
  kind: CellKind,
  state: Tensor | LSTMState | undefined,
  full: readonly number[],
  shape: readonly number[],
): [h: Tensor, c?: Tensor] {
  const isLstm = kind === "lstm";
  if (state === undefined) return isLstm ? [zeros(full), zeros(full)] : [zeros(full)];
  const given = state instanceof Tensor ? [state] : state;
  const fits = Array.isArray(given) && given.length === (isLstm ? 2 : 1) && given.every((x) => x instanceof Tensor);
  if (!fits || !given.every((x) => sameShape(x.shape, shape))) {
    const got = fits ? given.map((x) => show(x.shape)).join(" and ") : describe(state);
    throw rangeError(op, `the state must be ${isLstm ? "[h, c], each " : ""}${show(shape)}: got ${got} (state)`);
  }
  return given.map((x) => (shape === full ? x : reshape(x, full))) as [Tensor, Tensor?];
}

/** What RNN, LSTM and GRU share. `State` is a tensor, or an LSTM's two. */
abstract class Recurrent<State extends Tensor | LSTMState> extends Layer<Tensor, [Tensor, State]> {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly options: RecurrentLayerOptions;

  constructor(kind: CellKind, inputSize: number, hiddenSize: number, options: Given<RecurrentLayerOptions>) {
    super();
    const op = this.name;
    this.inputSize = checkInteger(op, "inputSize", inputSize, 1);
    this.hiddenSize = checkInteger(op, "hiddenSize", hiddenSize, 1);
    this.options = settle(op, options, settings);
    const { numLayers, bias, bidirectional } = this.options;
    checkInteger(op, "numLayers", numLayers, 1);
    checkNumber(op, "dropout", this.options.dropout, 0, 1);
    const rows = gateCount[kind] * hiddenSize;
    const bound = boundOf(hiddenSize);
    const own = this as unknown as Record<string, Parameter>;
    for (let layer = 0; layer < numLayers; layer++) {
      const columns = layer === 0 ? inputSize : hiddenSize * (bidirectional ? 2 : 1);
      for (const suffix of this.suffixes(layer)) {
        own[`weight_ih_${suffix}`] = uniformParameter([rows, columns], bound);
        own[`weight_hh_${suffix}`] = uniformParameter([rows, hiddenSize], bound);
        if (!bias) continue;
        own[`bias_ih_${suffix}`] = uniformParameter([rows], bound);
        own[`bias_hh_${suffix}`] = uniformParameter([rows], bound);
      }
    }
  }

  /** @internal */
  protected abstract kind(): CellKind;

  /** `l0`, and `l0_reverse` of two directions. */
  private suffixes(layer: number): string[] {
    return this.options.bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`];
  }

  private weights(suffix: string): CellWeights {
    const own = this as unknown as Record<string, Tensor>;
    const { bias } = this.options;
    const names = ["weight_ih_", "weight_hh_", ...(bias ? ["bias_ih_", "bias_hh_"] : [])];
    return names.map((name) => own[name + suffix]!) as unknown as CellWeights;
  }

  /**
   * Runs through sequences.
   *
   * @param input `[time, batch, in]`, or `[batch, time, in]` with batchFirst, or `[time, in]`.
   * @param state the initial state `[layers · directions, batch, hidden]` (an LSTM's: `[h, c]`); default 0.
   * @returns `[output, state]`: the last layer's states at all times, `[…, hidden · directions]`, and the final ones.
   * @throws RangeError for sizes that do not fit.
   */
  override forward(input: Tensor, state?: State, options: SequenceOptions = {}): [Tensor, State] {
    return this.composite([input, ...listOf(state)], () => this.run(input, state, options));
  }

  private run(input: Tensor, state: State | undefined, options: SequenceOptions): [Tensor, State] {
    const op = this.name;
    const { lengths: given } = settle<{ lengths: SequenceOptions["lengths"] }>(op, options, { lengths: undefined });
    const { numLayers, batchFirst, bidirectional, dropout: p } = this.options;
    const batched = input.ndim === 3;
    if ((!batched && input.ndim !== 2) || input.shape[input.ndim - 1] !== this.inputSize) {
      const shape = batchFirst ? "[batch, time" : "[time, batch";
      throw rangeError(
        op,
        `takes ${shape}, ${this.inputSize}] or [time, ${this.inputSize}]: got ${show(input.shape)} (input)`,
      );
    }
    let x = batched
      ? batchFirst
        ? transpose(input, 0, 1)
        : input
      : reshape(input, [input.shape[0]!, 1, this.inputSize]);
    const [time, batch] = x.shape as [number, number];
    if (time === 0) throw rangeError(op, `sequences must have a step or more: got ${show(input.shape)} (input)`);
    const directions = bidirectional ? 2 : 1;
    const full = [numLayers * directions, batch, this.hiddenSize];
    const [h0, c0] = initialState(this.name, this.kind(), state, full, batched ? full : [full[0]!, full[2]!]);
    const lengths = given === undefined ? undefined : lengthsOf(op, given, batch, time);
    const mask = lengths && this.mask(lengths, time);

    const hs: Tensor[] = [];
    const cs: Tensor[] = [];
    const row = (x: Tensor, i: number) => reshape(slice(x, [[i, i + 1]]), [batch, this.hiddenSize]);
    for (let layer = 0; layer < numLayers; layer++) {
      const outputs = this.suffixes(layer).map((suffix, direction) => {
        const i = layer * directions + direction;
        const reverse = direction === 1;
        const kind = this.kind();
        const y = recurrent(kind, x, row(h0, i), c0 && row(c0, i), this.weights(suffix), { reverse, lengths });
        const last = reverse ? 0 : time - 1;
        hs.push(slice(y, [[last, last + 1]]));
        if (c0) cs.push(slice(y, [[time, time + 1]]));
        const states = c0 ? slice(y, [[0, time]]) : y;
        return mask ? mul(states, mask) : states;
      });
      x = outputs.length === 1 ? outputs[0]! : cat(outputs, 2);
      if (layer < numLayers - 1 && p > 0 && this.training) x = dropout(x, p);
    }
    const join = (rows: Tensor[]) => {
      const joined = rows.length === 1 ? rows[0]! : cat(rows);
      return batched ? joined : reshape(joined, [full[0]!, this.hiddenSize]);
    };
    const output = batched ? (batchFirst ? transpose(x, 0, 1) : x) : reshape(x, [time, x.shape[2]!]);
    return [output, (c0 ? [join(hs), join(cs)] : join(hs)) as State];
  }

  /** 1 where a sequence goes on, 0 beyond its end: `[time, batch, 1]`. */
  private mask(lengths: Tensor, time: number): Tensor {
    const ends = lengths.toTypedArray();
    const data = Float32Array.from({ length: time * ends.length }, (_, i) =>
      Math.floor(i / ends.length) < ends[i % ends.length]! ? 1 : 0,
    );
    return tensor(data, { shape: [time, ends.length, 1] });
  }

  override multiplyAdds([input]: readonly [Tensor]): number {
    const weights = this.parameters().reduce((n, w) => n + (w.ndim === 2 ? w.numel : 0), 0);
    return (weights * input.numel) / this.inputSize;
  }
}

type Nonlinearity = { readonly nonlinearity: "tanh" | "relu" };

/** h_t = tanh(W_ih·x_t + b_ih + W_hh·h_(t−1) + b_hh), or with relu. PyTorch: `torch.nn.RNN`. */
export class RNN extends Recurrent<Tensor> {
  static override typeName = "RNN";
  readonly nonlinearity: "tanh" | "relu";

  constructor(inputSize: number, hiddenSize: number, options: Given<RecurrentLayerOptions & Nonlinearity> = {}) {
    const { nonlinearity = "tanh", ...rest } = options;
    super("tanh", inputSize, hiddenSize, rest);
    this.nonlinearity = checkNonlinearity("RNN", nonlinearity);
  }

  protected kind(): CellKind {
    return this.nonlinearity;
  }
}

function checkNonlinearity(op: string, value: unknown): "tanh" | "relu" {
  if (value !== "tanh" && value !== "relu") {
    throw rangeError(op, `nonlinearity must be "tanh" or "relu": got ${describe(value)}`);
  }
  return value;
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997): gates i, f, o and candidate g of W_ih·x + b_ih + W_hh·h + b_hh;
 * c' = f·c + i·g, h' = o·tanh(c'). PyTorch: `torch.nn.LSTM`.
 *
 * @example
 * import { randn } from "gradine";
 * import { LSTM } from "gradine/nn";
 * const [output, [h, c]] = new LSTM(8, 16, { batchFirst: true }).forward(randn([4, 10, 8]));
 * console.log(output.shape, h.shape, c.shape); // [4, 10, 16] [1, 4, 16] [1, 4, 16]
 */
export class LSTM extends Recurrent<LSTMState> {
  static override typeName = "LSTM";
  constructor(inputSize: number, hiddenSize: number, options: Given<RecurrentLayerOptions> = {}) {
    super("lstm", inputSize, hiddenSize, options);
  }

  protected kind(): CellKind {
    return "lstm";
  }
}

/**
 * Gated recurrent unit (Cho et al. 2014), with the reset gate behind the product: n = tanh(W_in·x + b_in + r·(W_hn·h +
 * b_hn)), h' = (1 − z)·n + z·h. PyTorch: `torch.nn.GRU`.
 */
export class GRU extends Recurrent<Tensor> {
  static override typeName = "GRU";
  constructor(inputSize: number, hiddenSize: number, options: Given<RecurrentLayerOptions> = {}) {
    super("gru", inputSize, hiddenSize, options);
  }

  protected kind(): CellKind {
    return "gru";
  }
}

/** One step of a recurrent layer, for loops of your own. */
abstract class Cell<State extends Tensor | LSTMState> extends Layer<Tensor, State> {
  weightIh: Parameter;
  weightHh: Parameter;
  biasIh: Parameter | undefined;
  biasHh: Parameter | undefined;
  readonly inputSize: number;
  readonly hiddenSize: number;

  constructor(kind: CellKind, inputSize: number, hiddenSize: number, options: Given<{ readonly bias: boolean }>) {
    super();
    this.inputSize = checkInteger(this.name, "inputSize", inputSize, 1);
    this.hiddenSize = checkInteger(this.name, "hiddenSize", hiddenSize, 1);
    const { bias } = settle(this.name, options, { bias: true });
    const rows = gateCount[kind] * hiddenSize;
    const bound = boundOf(hiddenSize);
    this.weightIh = uniformParameter([rows, inputSize], bound);
    this.weightHh = uniformParameter([rows, hiddenSize], bound);
    if (bias) {
      this.biasIh = uniformParameter([rows], bound);
      this.biasHh = uniformParameter([rows], bound);
    }
  }

  /** @internal */
  protected abstract kind(): CellKind;

  /** The new state for an input `[batch, in]` (or `[in]`) and a state `[batch, hidden]`, default 0. */
  override forward(input: Tensor, state?: State): State {
    return this.composite([input, ...listOf(state)], () => {
      const kind = this.kind();
      const batched = input.ndim === 2;
      const rows = batched ? input.shape[0]! : 1;
      const shape = [rows, this.hiddenSize];
      const [h, c] = initialState(this.name, kind, state, shape, batched ? shape : [this.hiddenSize]);
      const as2d = (x: Tensor) => (batched ? x : reshape(x, [1, x.numel]));
      const weights = [this.weightIh, this.weightHh, this.biasIh, this.biasHh] as unknown as CellWeights;
      const next = cellStep(kind, as2d(input), h, c, weights).map((x) =>
        batched ? x! : reshape(x!, [this.hiddenSize]),
      );
      return (kind === "lstm" ? next : next[0]) as State;
    });
  }

  override multiplyAdds([input]: readonly [Tensor]): number {
    return ((this.weightIh.numel + this.weightHh.numel) * input.numel) / this.inputSize;
  }
}

/** One step of `RNN`. PyTorch: `torch.nn.RNNCell`. */
export class RNNCell extends Cell<Tensor> {
  static override typeName = "RNNCell";
  readonly nonlinearity: "tanh" | "relu";

  constructor(inputSize: number, hiddenSize: number, options: Given<{ readonly bias: boolean } & Nonlinearity> = {}) {
    const { nonlinearity = "tanh", ...rest } = options;
    super("tanh", inputSize, hiddenSize, rest);
    this.nonlinearity = checkNonlinearity("RNNCell", nonlinearity);
  }

  protected kind(): CellKind {
    return this.nonlinearity;
  }
}

/** One step of `LSTM`: `[h, c] -> [h', c']`. PyTorch: `torch.nn.LSTMCell`. */
export class LSTMCell extends Cell<LSTMState> {
  static override typeName = "LSTMCell";
  constructor(inputSize: number, hiddenSize: number, options: Given<{ readonly bias: boolean }> = {}) {
    super("lstm", inputSize, hiddenSize, options);
  }

  protected kind(): CellKind {
    return "lstm";
  }
}

/** One step of `GRU`. PyTorch: `torch.nn.GRUCell`. */
export class GRUCell extends Cell<Tensor> {
  static override typeName = "GRUCell";
  constructor(inputSize: number, hiddenSize: number, options: Given<{ readonly bias: boolean }> = {}) {
    super("gru", inputSize, hiddenSize, options);
  }

  protected kind(): CellKind {
    return "gru";
  }
}
