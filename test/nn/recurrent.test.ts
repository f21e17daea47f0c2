// Recurrent layers: the fused op against unrolled cells, lengths, long sequences, memory, errors.
import { describe, expect, test } from "vitest";
import { cat, grad, manualSeed, memory, randn, scope, type Tensor, tensor } from "../../src/index.js";
import { GRU, GRUCell, LSTM, LSTMCell, Module, RNN, RNNCell, Sequential } from "../../src/nn/index.js";
import { recurrent, unrolled } from "../../src/ops/index.js";

const kinds = ["tanh", "relu", "lstm", "gru"] as const;
const gates = { tanh: 1, relu: 1, lstm: 4, gru: 3 };

function expectClose(got: Tensor, want: Tensor, tolerance: number): void {
  expect(got.shape).toEqual(want.shape);
  const [p, q] = [got.toTypedArray(), want.toTypedArray()];
  const size = Math.max(1, ...q.map(Math.abs));
  p.forEach((value, i) => {
    if (!(Math.abs(value - q[i]!) <= tolerance * size)) throw new Error(`element ${i}: ${value}, not ${q[i]}`);
  });
}

/** Random arguments of the op, all with gradients. */
function setting(kind: (typeof kinds)[number], [time, batch, size, hidden]: readonly [number, number, number, number]) {
  manualSeed(3);
  const rows = gates[kind] * hidden;
  const make = (...shape: number[]) => {
    const x = randn(shape).mul(0.7).detach();
    x.requiresGrad = true;
    return x;
  };
  const [x, h] = [make(time, batch, size), make(batch, hidden)];
  const c = kind === "lstm" ? make(batch, hidden) : undefined;
  const weights = [make(rows, size), make(rows, hidden), make(rows), make(rows)] as const;
  return { x, h, c, weights, all: [x, h, ...weights, ...(c ? [c] : [])] };
}

describe.each(kinds)("%s: the fused op is the unrolled cells", (kind) => {
  for (const reverse of [false, true]) {
    for (const lengths of [undefined, [5, 1, 3]]) {
      const shape = [5, 3, 4, 7] as const;
      const options = () => ({ reverse, lengths: lengths && tensor(lengths, { dtype: "i32" }) });
      test(`values and gradients${reverse ? ", reverse" : ""}${lengths ? ", lengths" : ""}`, () =>
        scope(() => {
          const { x, h, c, weights, all } = setting(kind, shape);
          const run = (op: typeof recurrent) => {
            const y = op(kind, x, h, c, weights, options());
            manualSeed(8);
            return [y, ...grad(y, all, { gradOutputs: randn(y.shape) })];
          };
          const want = run(unrolled);
          run(recurrent).forEach((got, i) => expectClose(got, want[i]!, 1e-5));
        }));

      test(`gradients of the gradients${reverse ? ", reverse" : ""}${lengths ? ", lengths" : ""}`, () =>
        scope(() => {
          const { x, h, c, weights, all } = setting(kind, shape);
          const run = (op: typeof recurrent) => {
            const first = grad(op(kind, x, h, c, weights, options()).square().sum(), all, { createGraph: true });
            const total = first.map((g) => g.square().sum()).reduce((a, b) => a.add(b));
            return grad(total, all);
          };
          const want = run(unrolled);
          run(recurrent).forEach((got, i) => expectClose(got, want[i]!, 1e-4));
        }));
    }
  }

  test("an input that depends on another: each gradient stops at its input under createGraph, too", () =>
    scope(() => {
      const { x, c, weights } = setting(kind, [3, 2, 4, 4]);
      const derivative = (op: typeof recurrent, createGraph: boolean) => {
        // The initial state is computed from the sequence.
        const y = op(kind, x, x.slice([[0, 1]]).reshape([2, 4]), c, weights)
          .square()
          .sum();
        return grad(y, x, { createGraph })[0]!;
      };
      const want = derivative(unrolled, false);
      expectClose(derivative(recurrent, false), want, 1e-5);
      expectClose(derivative(recurrent, true), want, 1e-5);
    }));

  test("a batch of one gives the bits of that row in a batch", () => {
    const { x, h, c, weights } = setting(kind, [4, 3, 5, 6]);
    const whole = recurrent(kind, x, h, c, weights).toTypedArray();
    const row = (t: Tensor, axis: number) => t.slice([...new Array<null>(axis).fill(null), [1, 2]]);
    const one = recurrent(kind, row(x, 1), row(h, 0), c && row(c, 0), weights);
    const steps = one.shape[0]!;
    const expected = Array.from({ length: steps }, (_, t) => [...whole.slice((t * 3 + 1) * 6, (t * 3 + 2) * 6)]).flat();
    expect([...one.toTypedArray()]).toEqual(expected);
  });
});

describe("layers", () => {
  test("LSTM is a loop over LSTMCell, GRU over GRUCell, RNN over RNNCell", () => {
    manualSeed(1);
    for (const [layer, cell] of [
      [new LSTM(3, 5), new LSTMCell(3, 5)],
      [new GRU(3, 5), new GRUCell(3, 5)],
      [new RNN(3, 5, { nonlinearity: "relu" }), new RNNCell(3, 5, { nonlinearity: "relu" })],
    ] as [GRU, GRUCell][]) {
      const weights = Object.fromEntries(
        Object.entries(layer.stateDict()).map(([name, w]) => [name.replace("_l0", ""), w]),
      );
      cell.loadStateDict(weights);
      const x = randn([6, 2, 3]);
      let state: Tensor | undefined;
      const outputs: Tensor[] = [];
      for (let t = 0; t < 6; t++) {
        state = cell.forward(x.slice([[t, t + 1]]).reshape([2, 3]), state);
        outputs.push(Array.isArray(state) ? state[0] : state);
      }
      const [output] = layer.forward(x);
      expectClose(output, cat(outputs).reshape([6, 2, 5]), 1e-6);
    }
  });

  test("padding changes nothing: a padded batch gives what its sequences give alone", () => {
    manualSeed(2);
    const lengths = [4, 1, 3];
    const x = randn([3, 4, 3]);
    for (const layer of [
      new LSTM(3, 5, { batchFirst: true, bidirectional: true, numLayers: 2 }),
      new GRU(3, 5, { batchFirst: true, bidirectional: true, numLayers: 2 }),
    ] as GRU[]) {
      const [output, final] = layer.forward(x, undefined, { lengths });
      const states = Array.isArray(final) ? final : [final];
      lengths.forEach((length, i) => {
        const [alone, end] = layer.forward(
          x.slice([
            [i, i + 1],
            [0, length],
          ]),
        );
        expectClose(
          output.slice([
            [i, i + 1],
            [0, length],
          ]),
          alone,
          1e-6,
        );
        const ends = Array.isArray(end) ? end : [end];
        ends.forEach((e, k) => expectClose(states[k]!.slice([null, [i, i + 1]]), e, 1e-6));
        const beyond = output
          .slice([
            [i, i + 1],
            [length, null],
          ])
          .toTypedArray();
        expect(beyond.every((value) => value === 0)).toBe(true);
      });
    }
  });

  test("what stands in the padding has no influence, and gets no gradient", () => {
    const layer = new LSTM(2, 3);
    const x = randn([4, 2, 2], { requiresGrad: true });
    layer
      .forward(x, undefined, { lengths: [2, 4] })[0]
      .square()
      .sum()
      .backward();
    expect(
      x
        .grad!.slice([
          [2, 4],
          [0, 1],
        ])
        .toTypedArray()
        .every((value) => value === 0),
    ).toBe(true);
  });

  test("1,000 steps: gradients reach the first, memory stays", () => {
    manualSeed(4);
    const layer = new LSTM(4, 8);
    const x = randn([1000, 2, 4], { requiresGrad: true });
    const used: number[] = [];
    for (let i = 0; i < 6; i++) {
      x.grad = null;
      layer.zeroGrad();
      const [y] = layer.forward(x);
      y.mean().backward();
      used.push(memory().bytes);
    }
    expect(used[5]).toBe(used[2]);
    const first = x.grad!.slice([[0, 1]]).toTypedArray();
    expect(first.every(Number.isFinite)).toBe(true);
    expect(first.some((value) => value !== 0)).toBe(true);
    // The composed cells, too: a graph of 20,000 nodes without recursion.
    const loss = layer.forward(x)[0].square().mean();
    const [g] = grad(loss, layer.parameters()[1]!, { createGraph: true });
    g!.square().sum().backward();
    expect(Number.isFinite(x.grad!.sum().item())).toBe(true);
  });

  test("dropout between layers: in training alone, never behind the last", () => {
    const layer = new GRU(3, 4, { numLayers: 2, dropout: 0.5 });
    const x = randn([5, 2, 3]);
    const run = () => layer.forward(x)[0].toTypedArray().join();
    expect(run()).not.toBe(run());
    layer.eval();
    expect(run()).toBe(run());
    const single = new GRU(3, 4, { dropout: 0.5 });
    expect(single.forward(x)[0].toTypedArray().join()).toBe(single.forward(x)[0].toTypedArray().join());
  });

  test("default initialization: uniform in ±1/√hidden", () => {
    manualSeed(5);
    const layer = new LSTM(100, 64);
    for (const [name, w] of layer.namedParameters()) {
      const values = w.toTypedArray();
      const bound = 1 / 8;
      expect(Math.max(...values), name).toBeLessThanOrEqual(bound);
      expect(Math.max(...values), name).toBeGreaterThan(0.95 * bound);
      expect(Math.abs(w.mean().item()), name).toBeLessThan((4 * bound) / Math.sqrt(3 * w.numel));
      expect(w.std().item() / (bound / Math.sqrt(3))).toBeCloseTo(1, 1);
    }
  });

  test("errors name the layer and every size", () => {
    const layer = new LSTM(3, 4);
    class Wrapper extends Module {
      rnn = layer;
      forward(x: Tensor) {
        return this.rnn.forward(x)[0];
      }
    }
    const model = new Sequential(new Wrapper());
    expect(() => model.forward(randn([5, 2, 7]))).toThrow(
      /^0\.rnn \(LSTM\): LSTM: takes \[time, batch, 3\].*\[5,2,7\] \(input\)/,
    );
    expect(() => layer.forward(randn([5, 2, 3]), [randn([1, 2, 4]), randn([1, 3, 4])])).toThrow(
      /the state must be \[h, c\], each \[1,2,4\]: got \[1,2,4\] and \[1,3,4\]/,
    );
    expect(() => layer.forward(randn([5, 2, 3]), randn([1, 2, 4]) as never)).toThrow(/the state must be \[h, c\]/);
    expect(() => layer.forward(randn([5, 2, 3]), undefined, { lengths: [5] })).toThrow(/lengths must hold 2 numbers/);
    expect(() => layer.forward(randn([5, 2, 3]), undefined, { lengths: [5, 6] })).toThrow(
      /from 1 to 5: got 6 \(sequence 1\)/,
    );
    expect(() => layer.forward(randn([0, 2, 3]))).toThrow(/a step or more/);
    expect(() => new RNN(3, 4, { nonlinearity: "elu" as never })).toThrow(/"tanh" or "relu": got "elu"/);
    expect(() => new GRU(3, 4, { layers: 2 } as never)).toThrow(/GRU: unknown option "layers"/);
    expect(() => new LSTM(3, 4.5)).toThrow(/LSTM: hiddenSize must be an integer: got 4.5/);
    expect(() => new GRUCell(3, 4).forward(randn([2, 3]), randn([2, 5]))).toThrow(/state must be \[2,4\]: got \[2,5\]/);
  });

  test("the tensors of a call are released in a bare loop that predicts, too", () => {
    const layer = new LSTM(4, 8, { numLayers: 2 }).eval().requiresGrad(false);
    const used: number[] = [];
    for (let i = 0; i < 5; i++) {
      scope(() =>
        layer
          .forward(randn([20, 2, 4]))[0]
          .sum()
          .item(),
      );
      used.push(memory().bytes);
    }
    expect(used[4]).toBe(used[1]);
  });
});
