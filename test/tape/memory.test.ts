// Constant memory in the loops that people write: synchronous, nothing disposed. Live bytes and tensors after step 20,000
// equal those after step 100.
import { describe, expect, it } from "vitest";
import { DataLoader, TensorDataset } from "../../src/data/index.js";
import {
  cat,
  crossEntropy,
  grad,
  keep,
  manualSeed,
  memory,
  mseLoss,
  noGrad,
  randint,
  randn,
  scope,
  sigmoid,
  slice,
  steps,
  sum,
  type Tensor,
  tanh,
  tensor,
} from "../../src/index.js";
import { Linear, type Module, Parameter, ReLU, Sequential, Tanh } from "../../src/nn/index.js";
import { Adam, SGD } from "../../src/optim/index.js";
import { accuracy, fit } from "../../src/train/index.js";

const last = 20_000;

/** Steps counted from 1; the memory is compared at the same point of step 100 and of the last. */
function watcher() {
  let step = 0;
  let early: { bytes: number; tensors: number } | undefined;
  let late: { bytes: number; tensors: number } | undefined;
  return {
    step() {
      step++;
      if (step !== 100 && step !== last) return;
      const { bytes, tensors } = memory();
      if (step === 100) early = { bytes, tensors };
      else late = { bytes, tensors };
    },
    check() {
      expect(step).toBeGreaterThanOrEqual(last);
      expect(late).toEqual(early);
    },
  };
}

const classifier = () => new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2));
const batch = () => ({ x: randn([4, 3]), y: randint(0, 2, [4]) });
const classes = (n: number) => new TensorDataset(randn([n, 3]), randint(0, 2, [n]));

/** The loops a scenario's body is run in: each calls it `last` times. */
const loops: Record<string, (body: (x: Tensor, y: Tensor) => void) => void> = {
  "a bare for with fixed x, y": (body) => {
    const { x, y } = batch();
    for (let i = 0; i < last; i++) body(x, y);
  },
  "steps(n)": (body) => {
    const { x, y } = batch();
    for (const _ of steps(last)) body(x, y);
  },
  "a loader, epoch after epoch": (body) => {
    const loader = new DataLoader(classes(40), { batchSize: 4, shuffle: true });
    for (let epoch = 0; epoch < last / 10; epoch++) for (const [x, y] of loader) body(x, y);
  },
};

type Body = (x: Tensor, y: Tensor) => void;

/** Scenarios: each makes its models and gives the body of the loop. */
const scenarios: Record<string, () => Body> = {
  "the loop of the documentation": () => {
    const model = classifier();
    const optimizer = new Adam(model.parameters());
    return (x, y) => {
      optimizer.zeroGrad();
      const loss = crossEntropy(model.forward(x), y);
      loss.backward();
      optimizer.step();
      expect(loss.item()).toBeGreaterThan(0);
    };
  },
  "a GAN's two models": () => {
    const generator = new Sequential(new Linear(3, 4), new Tanh(), new Linear(4, 3));
    const critic = new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 1));
    const optimizerG = new SGD(generator.parameters(), { lr: 0.01 });
    const optimizerD = new SGD(critic.parameters(), { lr: 0.01, momentum: 0.5 });
    return (x) => {
      const fake = generator.forward(x);
      optimizerD.zeroGrad();
      const lossD = critic.forward(x).square().mean().add(critic.forward(fake.detach()).sub(1).square().mean());
      lossD.backward();
      optimizerD.step();
      optimizerG.zeroGrad();
      const lossG = critic.forward(fake).square().mean();
      lossG.backward();
      optimizerG.step();
      expect(Number.isFinite(lossD.item() + lossG.item())).toBe(true);
    };
  },
  "actor and critic with three models": () => {
    const actor = classifier();
    const critic = new Linear(3, 1);
    const target = new Linear(3, 1);
    const optimizerA = new SGD(actor.parameters(), { lr: 0.01 });
    const optimizerC = new SGD(critic.parameters(), { lr: 0.01 });
    return (x, y) => {
      const goal = noGrad(() => target.forward(x).mul(0.9).add(1));
      const value = critic.forward(x);
      const advantage = goal.sub(value).detach();
      const valueLoss = mseLoss(value, goal);
      optimizerC.zeroGrad();
      valueLoss.backward();
      optimizerC.step();
      const policyLoss = crossEntropy(actor.forward(x), y, { reduction: "none" }).mul(advantage.squeeze(1)).mean();
      optimizerA.zeroGrad();
      policyLoss.backward();
      optimizerA.step();
    };
  },
  "truncated backpropagation through time, h = hNew.detach()": () => {
    const input = new Linear(3, 4);
    const recurrent = new Linear(4, 4);
    const optimizer = new SGD([...input.parameters(), ...recurrent.parameters()], { lr: 0.01 });
    let h: Tensor = keep(tensor([[0, 0, 0, 0]]));
    return (x) => {
      optimizer.zeroGrad();
      const hNew = tanh(input.forward(x).add(recurrent.forward(h)));
      hNew.square().mean().backward();
      optimizer.step();
      h = hNew.detach();
    };
  },
  "gradients accumulated over 4": () => {
    const model = classifier();
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    let i = 0;
    return (x, y) => {
      crossEntropy(model.forward(x), y).div(4).backward();
      if (++i % 4 === 0) {
        optimizer.step();
        optimizer.zeroGrad();
      }
    };
  },
  "a gradient penalty": () => {
    const critic = new Sequential(new Linear(3, 4), new Tanh(), new Linear(4, 1));
    const optimizer = new SGD(critic.parameters(), { lr: 0.01 });
    const probe = new Parameter(randn([4, 3]));
    return (x) => {
      optimizer.zeroGrad();
      const out = critic.forward(x.add(probe));
      const [g] = grad(sum(out), probe, { createGraph: true });
      const penalty = g!.square().sum(1).sub(1).square().mean();
      out.mean().add(penalty).backward();
      optimizer.step();
    };
  },
  "a recorded gradient walked without the loss it came from": () => {
    const w = new Parameter(randn([3, 2]));
    return (x) => {
      w.grad = null;
      const [g] = grad(x.matmul(w).square().mean(), w, { createGraph: true });
      g!.square().sum().backward();
      const [d] = grad(w.square().sum(), w, { createGraph: true });
      d!.square().sum().backward();
    };
  },
  "metrics from logits after backward()": () => {
    const model = classifier();
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    return (x, y) => {
      optimizer.zeroGrad();
      const logits = model.forward(x);
      crossEntropy(logits, y).backward();
      optimizer.step();
      accuracy(logits, y);
      sigmoid(logits).mean().item();
      logits.argmax(1).toArray();
    };
  },
  "evaluation in noGrad": () => {
    const model = classifier();
    return (x, y) => {
      accuracy(
        noGrad(() => model.forward(x)),
        y,
      );
    };
  },
  "a forward that throws and is caught": () => {
    const model = new Sequential(new Linear(3, 4), new ReLU(), new Linear(5, 2));
    const fine = classifier();
    const optimizer = new SGD(fine.parameters(), { lr: 0.01 });
    return (x, y) => {
      expect(() => scope(() => model.forward(x))).toThrow("linear");
      optimizer.zeroGrad();
      crossEntropy(fine.forward(x), y).backward();
      optimizer.step();
    };
  },
};

/** Scenarios that a scope alone can clean up: nothing in them says that a tensor is done with. */
const scoped: Record<string, () => Body> = {
  "evaluation without noGrad": () => {
    const model = classifier();
    return (x, y) => void accuracy(model.forward(x), y);
  },
  "a forward that throws and is caught, without a scope of its own": () => {
    const model = new Sequential(new Linear(3, 4), new ReLU(), new Linear(5, 2));
    return (x) => expect(() => model.forward(x)).toThrow("linear");
  },
  "z = randn() in the loop": () => {
    const model = classifier();
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    return (_, y) => {
      const z = randn([4, 3]);
      optimizer.zeroGrad();
      crossEntropy(model.forward(cat([z, z]).slice([[0, 4]])), y).backward();
      optimizer.step();
    };
  },
  "two models evaluated after the step, one recorded": () => {
    const model = classifier();
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    return (x, y) => {
      optimizer.zeroGrad();
      const loss = crossEntropy(model.forward(x), y);
      loss.backward();
      optimizer.step();
      accuracy(model.forward(x), y);
    };
  },
};

for (const [where, loop] of Object.entries(loops)) {
  describe(`constant memory in ${where}`, () => {
    const bare = where.startsWith("a bare");
    for (const [name, make] of Object.entries(bare ? scenarios : { ...scenarios, ...scoped })) {
      it(name, () => {
        manualSeed(1);
        const watch = watcher();
        const body = make();
        loop((x, y) => {
          body(x, y);
          watch.step();
        });
        watch.check();
      });
    }
  });
}

describe("what stays readable", () => {
  const model: Module = classifier();
  const { x, y } = batch();

  it("losses pushed in a loop and read at its end", () => {
    const losses: Tensor[] = [];
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    for (let i = 0; i < 50; i++) {
      optimizer.zeroGrad();
      const loss = crossEntropy(model.forward(x), y);
      loss.backward();
      optimizer.step();
      losses.push(loss);
    }
    const values = losses.map((loss) => loss.item());
    expect(values.every((value) => value > 0)).toBe(true);
    expect(values.at(-1)).toBeLessThan(values[0]!);
    // It can be computed with, too.
    expect(losses[0]!.add(losses[1]!).item()).toBeCloseTo(values[0]! + values[1]!, 5);
  });

  it("the last batch after break, and after the end", () => {
    const loader = new DataLoader(classes(8), { batchSize: 4 });
    let kept: Tensor | undefined;
    for (const [xb] of loader) {
      kept = xb;
      break;
    }
    expect(kept!.toTypedArray()).toHaveLength(12);
    for (const [xb] of loader) kept = xb;
    expect(kept!.toTypedArray()).toHaveLength(12);
  });

  it("a batch taken by break goes on being trained on", () => {
    const loader = new DataLoader(classes(8), { batchSize: 4 });
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const [[xb, yb]] = loader as Iterable<readonly [Tensor, Tensor]> as unknown as [[Tensor, Tensor]];
    const train = () => {
      optimizer.zeroGrad();
      crossEntropy(model.forward(xb), yb).backward();
      optimizer.step();
    };
    for (let i = 0; i < 100; i++) train();
    for (const _ of steps(100)) train();
    expect(xb.toTypedArray()).toHaveLength(12);
  });

  it("what a recorded value was, until the next op is recorded", () => {
    const logits = model.forward(x);
    const loss = crossEntropy(logits, y);
    loss.backward();
    expect(logits.toTypedArray()).toHaveLength(8);
    const doubled = logits.mul(2); // reads a consumed graph: not recorded
    expect(doubled.requiresGrad).toBe(false);
    model.forward(x);
    expect(() => logits.toTypedArray()).toThrow(/made by linear was released when the next op was recorded/);
    expect(() => doubled.toTypedArray()).toThrow(/released/);
  });

  it("what is kept, however it was made and however long it is not read", () => {
    const kept = [keep(noGrad(() => model.forward(x))), keep(model.forward(x).detach())];
    for (const t of kept) t.add(1).dispose();
    for (let i = 0; i < 200; i++) {
      model.forward(x).sum().backward();
      noGrad(() => model.forward(x)).toArray();
    }
    for (const t of kept) expect(t.toTypedArray()).toHaveLength(8);
  });

  it("detached tensors that nothing read", () => {
    const history: Tensor[] = [];
    for (let i = 0; i < 40; i++) {
      const out = model.forward(x);
      out.sum().backward();
      history.push(out.detach());
    }
    expect(history.every((t) => t.toTypedArray().length === 8)).toBe(true);
  });
});

describe("loops that overlap", () => {
  it("two loaders advanced in turn free only their own", () => {
    const model = classifier();
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    const a = new DataLoader(classes(40), { batchSize: 4 });
    const b = new DataLoader(classes(40), { batchSize: 4 });
    const watch = watcher();
    for (let epoch = 0; epoch < last / 10; epoch++) {
      const first = a[Symbol.iterator]();
      const second = b[Symbol.iterator]();
      for (;;) {
        const p = first.next();
        const q = second.next();
        if (p.done || q.done) break;
        const [xa, ya] = p.value;
        const [xb, yb] = q.value;
        optimizer.zeroGrad();
        const both = model.forward(cat([xa!, xb!]));
        crossEntropy(both, cat([ya!, yb!])).backward();
        optimizer.step();
        expect(slice(xa!, [[0, 1]]).numel).toBe(3);
        watch.step();
      }
    }
    watch.check();
  });

  it("two async loops never free each other's tensors", async () => {
    const run = async (waits: number) => {
      const model = classifier();
      const optimizer = new SGD(model.parameters(), { lr: 0.01 });
      const sums: number[] = [];
      for (const [x, y] of new DataLoader(classes(32), { batchSize: 4 }) as Iterable<readonly [Tensor, Tensor]>) {
        optimizer.zeroGrad();
        for (let i = 0; i < waits; i++) await Promise.resolve();
        const noise = randn([4, 3]);
        const hidden = model.forward(x.add(noise));
        await new Promise((resolve) => setTimeout(resolve, waits));
        const loss = crossEntropy(hidden, y);
        await Promise.resolve();
        loss.backward();
        optimizer.step();
        sums.push(hidden.sum().item() + x.sum().item() + noise.sum().item());
      }
      return sums;
    };
    const results = await Promise.all([run(1), run(2), run(3)]);
    for (const sums of results) expect(sums).toHaveLength(8);
  });

  it("a dataset's own tensors are left alone, batches are the loop's however many loops are awaited in", async () => {
    const own = scope(() => {
      const x = randn([4, 3]);
      const loader = new DataLoader({ length: 3, batch: () => [x] as const }, { batchSize: 1 });
      for (const [same] of loader) expect(same).toBe(x);
      return x.toTypedArray(); // not released when the loop went on
    });
    expect(own).toHaveLength(12);
    const batches: Tensor[] = [];
    const run = async () => {
      for (const [x] of new DataLoader(classes(32), { batchSize: 4 }) as Iterable<readonly [Tensor, Tensor]>) {
        batches.push(x);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    };
    await Promise.all([run(), run()]);
    expect(batches.filter((x) => !x.released).length).toBeLessThanOrEqual(2);
  });

  it("a server that predicts while a loop trains", async () => {
    const model = classifier();
    const training = (async () => {
      const optimizer = new SGD(model.parameters(), { lr: 0.01 });
      for (const [x, y] of new DataLoader(classes(64), { batchSize: 4 }) as Iterable<readonly [Tensor, Tensor]>) {
        optimizer.zeroGrad();
        crossEntropy(model.forward(x), y).backward();
        optimizer.step();
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
    })();
    for (let i = 0; i < 10; i++) {
      const output = noGrad(() => model.forward(tensor([[1, 2, 3]])));
      await new Promise((resolve) => setTimeout(resolve, 1));
      expect(output.toTypedArray()).toHaveLength(2);
    }
    await training;
  });

  it("two fits at once give the bits of two in turn, in constant memory", async () => {
    const make = (seed: number) => {
      manualSeed(seed);
      const model = classifier();
      return { model, optimizer: new Adam(model.parameters()), data: classes(40) };
    };
    const run = async ({ model, optimizer, data }: ReturnType<typeof make>, loader: DataLoader<readonly Tensor[]>) => {
      void data;
      await fit(model, loader as unknown as Iterable<readonly [Tensor, Tensor]>, {
        loss: crossEntropy,
        optimizer,
        epochs: 30,
        metrics: { accuracy },
        progress: false,
      });
      return Array.from(model.parameters(), (p) => Array.from(p.toTypedArray()));
    };
    const setup = () => {
      const a = make(1);
      const b = make(2);
      manualSeed(3);
      const loaders = [a, b].map((m) => new DataLoader(m.data, { batchSize: 4, shuffle: true }));
      return { a, b, loaders };
    };
    const inTurn = setup();
    const one = [await run(inTurn.a, inTurn.loaders[0]!), await run(inTurn.b, inTurn.loaders[1]!)];
    const atOnce = setup();
    const runBoth = () => Promise.all([run(atOnce.a, atOnce.loaders[0]!), run(atOnce.b, atOnce.loaders[1]!)]);
    expect(await runBoth()).toEqual(one);
    const { bytes, tensors } = memory();
    await runBoth();
    expect(memory()).toMatchObject({ bytes, tensors });
  });
});

describe("loops inside a function's scope", () => {
  it.each([
    ["noGrad", noGrad],
    ["scope", scope],
  ] as const)("%s: each iteration is released when the loop goes on", (_, inScope) => {
    const x = randn([8, 8]);
    const counts = inScope(() => {
      const seen: number[] = [];
      for (const _ of steps(20)) {
        x.mul(2).add(1).relu();
        seen.push(memory().tensors);
      }
      return seen;
    });
    expect(new Set(counts.slice(1)).size).toBe(1);
    x.dispose();
  });

  it("a function called in a loop keeps its own tensors when it advances that loop", () => {
    const loop = steps(3);
    loop.next();
    const y = scope(() => {
      const a = randn([4]);
      loop.next();
      return a.mul(2).sum(); // a is the function's: the loop released what the loop's iteration made
    });
    expect(y.item()).not.toBeNaN();
    loop.return?.();
  });
});
