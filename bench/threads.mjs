// node bench/threads.mjs [count] [name ...]: what threads bring: products, elementwise ops and training steps through the public
// API, on 1 and on `count` (2) threads, each in a process of its own, samples taken in turn.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { measure, table } from "./harness.mjs";

const workloads = {
  "matmul 64": ({ g }) => product(g, 64),
  "matmul 128": ({ g }) => product(g, 128),
  "matmul 512": ({ g }) => product(g, 512),
  "exp 16K": ({ g }) => unary(g, g.exp, 1 << 14),
  "exp 64K": ({ g }) => unary(g, g.exp, 1 << 16),
  "exp 1M": ({ g }) => unary(g, g.exp, 1 << 20),
  "relu 16K": ({ g }) => unary(g, g.relu, 1 << 14),
  "relu 64K": ({ g }) => unary(g, g.relu, 1 << 16),
  "relu 1M": ({ g }) => unary(g, g.relu, 1 << 20),
  "MLP 784-128-10, batch 64, Adam": ({ g, nn, optim }) => {
    const { Linear, ReLU, Sequential } = nn;
    const model = new Sequential(new Linear(784, 128), new ReLU(), new Linear(128, 10));
    return training(g, model, new optim.Adam(model.parameters()), g.randn([64, 784]));
  },
  "CNN 1-16-32, 28x28, batch 32, SGD": ({ g, nn, optim }) => {
    const { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } = nn;
    const convolutions = [new Conv2d(1, 16, 3, { padding: 1 }), new Conv2d(16, 32, 3, { padding: 1 })];
    const blocks = convolutions.flatMap((conv) => [conv, new ReLU(), new MaxPool2d(2)]);
    const model = new Sequential(...blocks, new Flatten(), new Linear(32 * 49, 10));
    return training(g, model, new optim.SGD(model.parameters(), { lr: 0.01 }), g.randn([32, 1, 28, 28]));
  },
  "MLP 2-16-16-1, batch 32, SGD": ({ g, nn, optim }) => {
    const { Linear, Sequential, Tanh } = nn;
    const model = new Sequential(new Linear(2, 16), new Tanh(), new Linear(16, 16), new Tanh(), new Linear(16, 2));
    return training(g, model, new optim.SGD(model.parameters(), { lr: 0.01 }), g.randn([32, 2]), 2);
  },
  "char-GPT d 96, 3 blocks, 64 tokens, batch 16": ({ g, models, optim }) => {
    const model = new models.GPT({ vocabSize: 65, blockSize: 64, nLayer: 3, nHead: 4, nEmbd: 96 });
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
    const tokens = g.randint(65, [16, 64]);
    return () => {
      optimizer.zeroGrad();
      g.crossEntropy(model.forward(tokens).reshape([1024, 65]), tokens.reshape([1024])).backward();
      optimizer.step();
    };
  },
};

function product(g, n) {
  const [a, b] = [g.randn([n, n]), g.randn([n, n])];
  return () => g.matmul(a, b);
}

function unary(g, op, n) {
  const x = g.randn([n]);
  return () => op(x);
}

function training(g, model, optimizer, x, classes = 10) {
  const y = g.randint(classes, [x.shape[0]]);
  return () => {
    optimizer.zeroGrad();
    g.crossEntropy(model.forward(x), y).backward();
    optimizer.step();
  };
}

async function child(threads) {
  const g = await import("../dist/index.js");
  const [nn, optim, models] = await Promise.all(
    ["nn", "optim", "models"].map((name) => import(`../dist/${name}/index.js`)),
  );
  await g.init({ threads });
  if (g.backend().threads !== threads) throw new Error(g.backend().reason);
  let step;
  process.on("message", ({ open, repetitions }) => {
    if (open !== undefined) {
      g.manualSeed(1);
      step = workloads[open]({ g, nn, optim, models });
      process.send(0);
      return;
    }
    const start = performance.now();
    for (const _ of g.steps(repetitions)) step();
    process.send(performance.now() - start);
  });
  process.send("ready");
}

async function parent(count, names) {
  const answer = (process) => new Promise((done) => process.once("message", done));
  const processes = [];
  for (const threads of [1, count]) {
    const process = fork(fileURLToPath(import.meta.url), ["--child", String(threads)]);
    await answer(process);
    processes.push([threads, process]);
  }
  const lines = [];
  for (const name of Object.keys(workloads).filter(
    (n) => names.length === 0 || names.some((part) => n.includes(part)),
  )) {
    const candidates = [];
    for (const [threads, process] of processes) {
      process.send({ open: name });
      await answer(process);
      const run = (repetitions) => {
        process.send({ repetitions });
        return answer(process);
      };
      candidates.push({ name: String(threads), run });
    }
    const [one, many] = await measure(candidates, { samples: 11, minMs: 15, warmMs: 150 });
    const us = (ms) => (1000 * ms).toPrecision(3);
    lines.push([name, us(one.ms), us(many.ms), `${(1 / many.ratio).toFixed(2)}x`]);
    console.error(lines.at(-1).join("  "));
  }
  console.log(table(["µs", "1 thread", `${count} threads`, "gain"], lines));
  for (const [, process] of processes) process.kill();
}

const [first, ...rest] = process.argv.slice(2);
if (first === "--child") await child(Number(rest[0]));
else await parent(Number(first ?? 2), rest);
