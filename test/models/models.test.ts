// The small models: parameter counts, shapes, names, training, and writing.
import { describe, expect, test } from "vitest";
import {
  crossEntropy,
  Generator,
  manualSeed,
  memory,
  noGrad,
  randn,
  steps,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { BagOfWords, CharLSTM, GPT, LeNet5, MLP, MobileNet, PlainNet, ResNet } from "../../src/models/index.js";
import type { AnyModule } from "../../src/nn/index.js";
import { Adam } from "../../src/optim/index.js";

const count = (model: AnyModule) => model.parameters().reduce((n, p) => n + p.numel, 0);
const ids = (rows: readonly (readonly number[])[]) => tensor(rows as number[][], { dtype: "i32" });

describe("parameters: as published, or as PyTorch counts them", () => {
  test.each([
    ["MLP 784-128-10", () => new MLP([784, 128, 10]), 101_770],
    ["LeNet-5", () => new LeNet5(), 61_706],
    ["ResNet-20 for CIFAR-10", () => new ResNet(3), 269_722], // "0.27 M" (He et al. 2016, table 6)
    ["plain net of 20 layers: shortcuts have none", () => new PlainNet(3), 269_722],
    ["ResNet-8", () => new ResNet(1), 75_290],
    ["MobileNet, 1,000 classes", () => new MobileNet(), 4_231_976], // "4.2 M" (Howard et al. 2017, table 8)
    ["MobileNet 0.25", () => new MobileNet({ width: 0.25 }), 470_072], // "0.5 M" (table 6)
    [
      "char-GPT, untied",
      () => new GPT({ vocabSize: 65, blockSize: 64, nLayer: 3, nHead: 4, nEmbd: 96, tied: false }),
      354_336,
    ],
    ["bag of words", () => new BagOfWords(1000, 64, 4), 64_260],
    [
      "char-LSTM",
      () => new CharLSTM(65, { embedding: 64, hidden: 128 }),
      65 * 64 + 4 * 128 * (64 + 128 + 2) + 129 * 65,
    ],
  ] as const)("%s", (_, make, want) => expect(count(make())).toBe(want));

  test("GPT-2's smallest: 124,439,808, by the formula that small ones confirm", () => {
    const formula = (v: number, t: number, l: number, d: number) => v * d + t * d + l * (12 * d * d + 13 * d) + 2 * d;
    for (const [v, t, l, d] of [
      [65, 64, 3, 96],
      [11, 8, 1, 8],
    ] as const) {
      expect(count(new GPT({ vocabSize: v, blockSize: t, nLayer: l, nHead: 2, nEmbd: d }))).toBe(formula(v, t, l, d));
    }
    expect(formula(50257, 1024, 12, 768)).toBe(124_439_808);
  });
});

describe("vision", () => {
  test("shapes, and the names of the layers", () => {
    expect(new LeNet5({ relu: true }).forward(randn([2, 1, 28, 28])).shape).toEqual([2, 10]);
    const net = new ResNet(1, { inChannels: 1, width: 4, classes: 3 });
    expect(net.forward(randn([2, 1, 16, 16])).shape).toEqual([2, 3]);
    expect(Object.keys(net.stateDict())).toContain("layer2.0.conv1.weight");
    expect(new PlainNet(1, { width: 4 }).forward(randn([2, 3, 8, 8])).shape).toEqual([2, 10]);
    const small = new MobileNet({ width: 0.125, classes: 5, small: true });
    expect(small.forward(randn([2, 3, 32, 32])).shape).toEqual([2, 5]);
  });

  test("zeroInit: every block begins as its shortcut", () => {
    manualSeed(1);
    const net = new ResNet(2, { width: 4, zeroInit: true });
    const x = randn([2, 4, 8, 8]).relu();
    expect([...net.layer1.forward(x).toTypedArray()]).toEqual([...x.toTypedArray()]);
  });

  test("a ResNet learns which quarter of an image is bright", () => {
    manualSeed(2);
    const net = new ResNet(1, { inChannels: 1, width: 4, classes: 4 });
    const optimizer = new Adam(net.parameters(), { lr: 0.01 });
    const data = Float32Array.from({ length: 16 * 64 }, (_, i) => {
      const [image, at] = [i >> 6, i & 63];
      const quarter = ((at >> 5) << 1) | ((at & 7) >> 2);
      return (quarter === (image & 3) ? 1 : 0) + ((i * 7919) % 13) / 40;
    });
    const x = tensor(data, { shape: [16, 1, 8, 8] });
    const y = tensor(
      Array.from({ length: 16 }, (_, i) => i & 3),
      { dtype: "i32" },
    );
    let last = 0;
    for (const _ of steps(25)) {
      optimizer.zeroGrad();
      const loss = crossEntropy(net.forward(x), y);
      loss.backward();
      optimizer.step();
      last = loss.item();
    }
    expect(last).toBeLessThan(0.2);
  });

  test("MLP's options", () => {
    expect(String(new MLP([4, 3, 2], { activation: "tanh", batchNorm: true, dropout: 0.1 }))).toContain(
      "(1): BatchNorm1d(",
    );
    expect(() => new MLP([4])).toThrow(/sizes of input and output/);
    expect(() => new MLP([4, 2], { activation: "swish" as never })).toThrow(/unknown activation "swish".*relu, tanh/);
  });
});

describe("text", () => {
  test("a bag of words learns a word's class", () => {
    manualSeed(3);
    const net = new BagOfWords(8, 6, 2);
    const optimizer = new Adam(net.parameters(), { lr: 0.1 });
    const x = ids([
      [1, 2, 3],
      [4, 2, 3],
      [3, 1, 1],
      [2, 4, 4],
    ]);
    const y = tensor([0, 1, 0, 1], { dtype: "i32" });
    for (const _ of steps(40)) {
      optimizer.zeroGrad();
      crossEntropy(net.forward(x), y).backward();
      optimizer.step();
    }
    expect([
      ...net
        .forward(
          ids([
            [1, 5, 6],
            [6, 4, 7],
          ]),
        )
        .argmax(1)
        .toTypedArray(),
    ]).toEqual([0, 1]);
  });

  /** Trains on a sequence that repeats 0 1 2 3 4 and gives the last loss. */
  function learn(model: AnyModule, logitsOf: (x: Tensor) => Tensor): number {
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    const row = (from: number) => Array.from({ length: 10 }, (_, i) => (from + i) % 5);
    const [x, y] = [ids([0, 1, 2, 3].map(row)), ids([1, 2, 3, 4].map(row)).reshape([-1])];
    let last = 0;
    for (const _ of steps(80)) {
      optimizer.zeroGrad();
      const loss = crossEntropy(logitsOf(x).reshape([-1, 5]), y);
      loss.backward();
      optimizer.step();
      last = loss.item();
    }
    return last;
  }

  test("char-LSTM and GPT learn a sequence and write it on", () => {
    manualSeed(4);
    const lstm = new CharLSTM(5, { embedding: 8, hidden: 16 });
    expect(learn(lstm, (x) => lstm.forward(x)[0])).toBeLessThan(0.1);
    expect(lstm.generate([3], 7, { temperature: 0 })).toEqual([3, 4, 0, 1, 2, 3, 4, 0]);
    const gpt = new GPT({ vocabSize: 5, blockSize: 10, nLayer: 2, nHead: 2, nEmbd: 16 });
    expect(learn(gpt, (x) => gpt.forward(x))).toBeLessThan(0.1);
    expect(gpt.generate([3], 7, { temperature: 0 })).toEqual([3, 4, 0, 1, 2, 3, 4, 0]);
    expect(gpt.generate([0, 1], 20, { temperature: 0 }).slice(-4)).toEqual([3, 4, 0, 1]); // beyond the window
    expect(gpt.training).toBe(true);
  });

  const writer = () => {
    manualSeed(5);
    return new GPT({ vocabSize: 20, blockSize: 12, nLayer: 2, nHead: 2, nEmbd: 16, dropout: 0.2 });
  };

  test("a cache changes nothing but the time", () => {
    const gpt = writer();
    const write = (cache: boolean) => gpt.generate([1, 2, 3], 20, { cache, generator: new Generator(1) });
    expect(write(true)).toEqual(write(false));
    expect(write(true).length).toBe(23);
  });

  test("topK, topP, temperature, stop", () => {
    const gpt = writer();
    const likeliest = gpt.generate([7], 6, { temperature: 0 });
    expect(gpt.generate([7], 6, { topK: 1 })).toEqual(likeliest);
    expect(gpt.generate([7], 6, { topP: 1e-9 })).toEqual(likeliest);
    expect(gpt.generate([7], 6, { temperature: 1e-6 })).toEqual(likeliest);
    const drawn = new Set(Array.from({ length: 60 }, () => gpt.generate([7], 1, { topK: 3 })[1]));
    expect(drawn.size).toBe(3);
    expect(gpt.generate([7], 6, { temperature: 0, stop: likeliest[2]! }).at(-1)).toBe(likeliest[2]);
    expect(gpt.generate([7], 6, { stop: (tokens) => tokens.length === 4 }).length).toBe(4);
    expect(() => gpt.generate([], 3)).toThrow(/a token or more/);
    expect(() => gpt.generate([1], 3, { topP: 0 })).toThrow(/topP must be above 0/);
    expect(() => gpt.generate([1], 3, { temperature: -1 })).toThrow(/temperature must be from 0/);
    expect(() => gpt.forward(ids([new Array(13).fill(0)]))).toThrow(/a length up to 12: got \[1,13\]/);
    expect(() => new GPT({ nEmbd: 10, nHead: 3 })).toThrow(/nHead must divide nEmbd: nEmbd is 10, nHead 3/);
  });

  test("names are nanoGPT's; the shared weight stands under both of its own", () => {
    const names = Object.keys(writer().stateDict());
    for (const name of [
      "transformer.wte.weight",
      "transformer.wpe.weight",
      "transformer.h.0.ln_1.weight",
      "transformer.h.1.attn.c_attn.bias",
      "transformer.h.0.attn.c_proj.weight",
      "transformer.h.0.mlp.c_fc.weight",
      "transformer.ln_f.bias",
      "lm_head.weight",
    ]) {
      expect(names).toContain(name);
    }
    expect(writer().tiedWeight?.shape).toEqual([20, 16]);
  });

  test("writing holds no memory", () => {
    const gpt = writer();
    const used = Array.from({ length: 4 }, () => {
      gpt.generate([1], 15);
      return memory().bytes;
    });
    expect(used[3]).toBe(used[1]);
  });
});
