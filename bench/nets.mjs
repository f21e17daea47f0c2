// The networks: lists of layers with their initial weights (names and layouts of PyTorch's state dicts), and the tasks
// that all peers are set with them, training and inference. Each peer builds its own form of a layer from this.
import { labels, numel, tensors } from "./data.mjs";

/** The first steps' losses are compared with the reference before anything is timed. */
const CHECKED_STEPS = 5;
/** Sets of targets, taken in turn. */
const TARGETS = 8;

const scaled = (ins) => 1 / Math.sqrt(ins);
export const relu = () => ({ type: "relu" });
export const tanh = () => ({ type: "tanh" });
const pool = () => ({ type: "maxPool" });
/** Joins all axes after the first: `shape` is theirs, which the peers that keep channels last need. */
const flatten = (shape) => ({ type: "flatten", shape });
/** Joins the axes before the last: [batch, length, width] -> [batch * length, width]. */
const rows = () => ({ type: "rows" });

function linear(tensor, ins, outs) {
  const bound = scaled(ins);
  return { type: "linear", ins, outs, params: { weight: tensor([outs, ins], bound), bias: tensor([outs], bound) } };
}

function conv(tensor, ins, outs) {
  const bound = scaled(9 * ins);
  const params = { weight: tensor([outs, ins, 3, 3], bound), bias: tensor([outs], bound) };
  return { type: "conv", ins, outs, params };
}

const affine = (tensor, width) => ({ weight: tensor([width], 0.1, 1), bias: tensor([width], 0.1) });
const layerNorm = (tensor, width) => ({ type: "layerNorm", width, params: affine(tensor, width) });

function batchNorm(tensor, width) {
  const running = { running_mean: tensor([width], 0.1), running_var: tensor([width], 0.1, 1) };
  return { type: "batchNorm", width, params: { ...affine(tensor, width), ...running } };
}

/** An LSTM over [batch, length, ins], of which the last output goes on: [batch, width]. */
function lastOfLstm(tensor, ins, width) {
  const bound = scaled(width);
  const params = {
    "lstm.weight_ih_l0": tensor([4 * width, ins], bound),
    "lstm.weight_hh_l0": tensor([4 * width, width], bound),
    "lstm.bias_ih_l0": tensor([4 * width], bound),
    "lstm.bias_hh_l0": tensor([4 * width], bound),
  };
  return { type: "lstm", ins, width, params };
}

/** PyTorch's TransformerEncoderLayer without dropout, on [batch, length, width]. */
function block(tensor, { width, heads, hidden, ...how }) {
  const dense = (weight, bias, ins, outs) => ({
    [`layer.${weight}`]: tensor([outs, ins], scaled(ins)),
    [`layer.${bias}`]: tensor([outs], scaled(ins)),
  });
  const norm = (name) =>
    Object.fromEntries(Object.entries(affine(tensor, width)).map(([key, value]) => [`layer.${name}.${key}`, value]));
  const params = {
    ...dense("self_attn.in_proj_weight", "self_attn.in_proj_bias", width, 3 * width),
    ...dense("self_attn.out_proj.weight", "self_attn.out_proj.bias", width, width),
    ...dense("linear1.weight", "linear1.bias", width, hidden),
    ...dense("linear2.weight", "linear2.bias", hidden, width),
    ...norm("norm1"),
    ...norm("norm2"),
  };
  return { type: "block", width, heads, hidden, ...how, params };
}

/** A table of tokens plus one of positions: [batch, length] -> [batch, length, width]. */
function embed(tensor, vocabulary, length, width) {
  const params = { "tokens.weight": tensor([vocabulary, width]), "positions.weight": tensor([length, width]) };
  return { type: "embed", vocabulary, length, width, params };
}

/** A multilayer perceptron. */
export function mlp({ sizes, activation, batch }) {
  const tensor = tensors(1);
  const layers = sizes.slice(1).flatMap((outs, i) => [linear(tensor, sizes[i], outs), activation()]);
  return { layers: layers.slice(0, -1), x: tensor([batch, sizes[0]]), output: [batch, sizes.at(-1)] };
}

/** Digits: two convolutions with pooling on 28 x 28. */
export function cnn(batch) {
  const tensor = tensors(6);
  const unit = (ins, outs) => [conv(tensor, ins, outs), relu(), pool()];
  const layers = [...unit(1, 16), ...unit(16, 32), flatten([32, 7, 7]), linear(tensor, 32 * 7 * 7, 10)];
  return { layers, x: tensor([batch, 1, 28, 28]), output: [batch, 10] };
}

/** Small colour images: three convolutions with batch normalization on 32 x 32. */
export function cnnBatchNorm(batch) {
  const tensor = tensors(7);
  const unit = (ins, outs) => [conv(tensor, ins, outs), batchNorm(tensor, outs), relu()];
  const features = [...unit(3, 16), ...unit(16, 16), pool(), ...unit(16, 32), pool()];
  const layers = [...features, flatten([32, 8, 8]), linear(tensor, 32 * 8 * 8, 10)];
  return { layers, x: tensor([batch, 3, 32, 32]), output: [batch, 10] };
}

/** Sequences to classes. */
export function lstm({ ins, width, length, batch }) {
  const tensor = tensors(8);
  const layers = [lastOfLstm(tensor, ins, width), linear(tensor, width, 10)];
  return { layers, x: tensor([batch, length, ins]), output: [batch, 10] };
}

/** One block of a transformer as of 2017: normalization after the sums, ReLU. */
export function transformerBlock({ width, heads, hidden, length, batch }) {
  const tensor = tensors(9);
  const layers = [block(tensor, { width, heads, hidden, activation: "relu", normFirst: false, causal: false })];
  return { layers, x: tensor([batch, length, width]), output: [batch, length, width] };
}

/** A GPT over characters: normalization before each part, GELU (erf), the last layer with weights of its own. */
export function gpt({ width, heads, blocks, length, vocabulary, batch }) {
  const tensor = tensors(10);
  const of = { width, heads, hidden: 4 * width, activation: "gelu", normFirst: true, causal: true };
  const layers = [
    embed(tensor, vocabulary, length, width),
    ...Array.from({ length: blocks }, () => block(tensor, of)),
    layerNorm(tensor, width),
    rows(),
    linear(tensor, width, vocabulary),
  ];
  return { layers, x: labels(11, [batch, length], vocabulary), output: [batch * length, vocabulary] };
}

/** Numbers that training adjusts. */
export const parameters = ({ layers }) =>
  layers
    .flatMap(({ params = {} }) => Object.entries(params))
    .reduce((sum, [name, { shape }]) => sum + (name.startsWith("running") ? 0 : numel(shape)), 0);

/**
 * Training steps of a network.
 *
 * The targets are random sets for the same inputs, taken in turn. They contradict each other, so the loss stays near its
 * entropy however long the timing runs, and no peer drifts into vanishing gradients and denormal numbers, which would
 * slow the peers that cannot flush them.
 * @param {{ loss: "mse" | "crossEntropy", optimizer: "sgd" | "adam", lr: number }} how
 */
export function training({ layers, x, output }, { loss, optimizer, lr }) {
  const random = tensors(12);
  const targets = Array.from({ length: TARGETS }, (_, i) =>
    loss === "mse" ? random(output) : labels(13 + i, output.slice(0, -1), output.at(-1)),
  );
  return { kind: "training", layers, x, targets, loss, optimizer, lr, checkedSteps: CHECKED_STEPS };
}

/** Predictions of a network: input in the library's own tensor, output read as numbers. */
export const inference = ({ layers, x }) => ({ kind: "inference", layers, x });
