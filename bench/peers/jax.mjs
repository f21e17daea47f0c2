// jax-js on its wasm backend: the whole training step is one jitted function, its fastest form.
//
// Every function of jax-js consumes its arguments, `.ref` keeps one for another use.
import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { network, oneHot, toArray } from "./jax-nets.mjs";
import { atProbes, losses, time, timeAsync } from "./timing.mjs";

export async function start() {
  await init("wasm");
  defaultDevice("wasm");
}

export const open = (task) => {
  const make = TASKS[task.kind];
  if (!make) throw new Error(`jax-js is not set to ${task.kind} here`);
  return make(task);
};

const TASKS = {
  training(task) {
    const { loss, optimizer, lr, targets } = task;
    const { params, forward } = network(task.layers);
    const lossOf = (p, x, target) => {
      const y = forward(p, x);
      if (loss === "mse") return np.mean(np.square(y.sub(target)));
      const rows = y.shape[0];
      return nn
        .logSoftmax(y)
        .mul(target)
        .sum()
        .mul(-1 / rows);
    };
    const { initial, update } = optimizer === "adam" ? adam(lr) : sgd(lr);
    const step = jit((state, x, target) => {
      const [cost, g] = valueAndGrad(lossOf)(tree.ref(state.params), x, target);
      return [cost, update(state, g)];
    });
    const wanted = targets.map((target) =>
      loss === "mse" ? toArray(target) : oneHot(target, task.layers.at(-1).outs),
    );
    // Labels come as one-hot rows, which is what the lookup of an embedding multiplies its table with.
    const x = task.layers[0].type === "embed" ? oneHot(task.x, task.layers[0].vocabulary) : toArray(task.x);
    let state = { params, ...initial(params) };
    let n = 0;
    const advance = () => {
      let cost;
      [cost, state] = step(state, x.ref, wanted[n++ % wanted.length].ref);
      // The loss is read at every step, for reading is what runs it: unread steps pile up, and cost tenfold at 200.
      return cost.dataSync()[0];
    };
    return {
      check: () => losses(task, advance),
      run: (repetitions) => time(repetitions, advance),
      close: () => {
        tree.dispose([state, x, wanted]);
        step.dispose();
      },
    };
  },

  inference({ layers, x }) {
    const { params, forward } = network(layers);
    const input = toArray(x);
    const predict = jit(forward);
    const call = () => predict(tree.ref(params), input.ref).dataSync();
    return {
      check: () => Array.from(call()),
      run: (repetitions) => time(repetitions, call),
      close: () => {
        tree.dispose([params, input]);
        predict.dispose();
      },
    };
  },

  operation(spec) {
    if (spec.op !== "matmul") throw new Error("of single operations, jax-js is set to the matrix product");
    const { layout } = spec;
    const operands = spec.inputs.map(toArray);
    const product = jit((a, b) => np.matmul(layout === "TN" ? a.transpose() : a, layout === "NT" ? b.transpose() : b));
    const call = () => product(...operands.map((operand) => operand.ref));
    return {
      check: () => atProbes(spec, call().dataSync()),
      run: (repetitions) =>
        timeAsync(repetitions, async () => {
          const y = await blockUntilReady(call());
          y.dispose();
        }),
      close: () => {
        tree.dispose(operands);
        product.dispose();
      },
    };
  },
};

const sgd = (lr) => ({
  initial: () => ({}),
  update: ({ params }, g) => ({ params: tree.map((p, d) => p.sub(d.mul(lr)), params, g) }),
});

/** Kingma and Ba, algorithm 1. */
function adam(lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8) {
  const zeros = (params) => tree.map((p) => np.zeros(p.shape), params);
  return {
    // The powers of both betas travel in the state: a jitted function sees arrays only.
    initial: (params) => ({
      m: zeros(tree.ref(params)),
      v: zeros(tree.ref(params)),
      power1: np.array(1),
      power2: np.array(1),
    }),
    update({ params, m, v, power1, power2 }, g) {
      const m1 = tree.map((s, d) => s.mul(beta1).add(d.ref.mul(1 - beta1)), m, tree.ref(g));
      const v1 = tree.map((s, d) => s.mul(beta2).add(np.square(d).mul(1 - beta2)), v, g);
      const p1 = power1.mul(beta1);
      const p2 = power2.mul(beta2);
      const scale1 = np.array(1).sub(p1.ref);
      const scale2 = np.array(1).sub(p2.ref);
      const change = (s, q) =>
        s
          .div(scale1.ref)
          .mul(lr)
          .div(np.sqrt(q.div(scale2.ref)).add(eps));
      const next = tree.map((p, s, q) => p.sub(change(s, q)), params, tree.ref(m1), tree.ref(v1));
      tree.dispose([scale1, scale2]);
      return { params: next, m: m1, v: v1, power1: p1, power2: p2 };
    },
  };
}
