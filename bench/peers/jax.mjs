// jax-js on its wasm backend: the whole training step is one jitted function, its fastest form.
//
// Every function of jax-js consumes its arguments, `.ref` keeps one for another use.
import { readFileSync } from "node:fs";
import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { losses, time } from "./steps.mjs";

await init("wasm");
defaultDevice("wasm");

const manifest = new URL("../node_modules/@jax-js/jax/package.json", import.meta.url);
export const version = `@jax-js/jax ${JSON.parse(readFileSync(manifest, "utf8")).version} (Node ${process.versions.node})`;

export function open(task) {
  return task.kind === "mlp" ? openMlp(task) : openMatmul(task);
}

function openMlp({ sizes, activation, loss, optimizer, lr, batch, weights, biases, x, targets }) {
  const outputs = sizes.at(-1);
  const last = weights.length - 1;
  const act = activation === "tanh" ? np.tanh : nn.relu;
  const forward = (params, input) =>
    params.reduce((h, { w, b }, i) => {
      const z = np.matmul(h, w).add(b);
      return i === last ? z : act(z);
    }, input);
  const lossOf = (params, input, target) => {
    const y = forward(params, input);
    return loss === "mse"
      ? np.mean(np.square(y.sub(target)))
      : nn
          .logSoftmax(y)
          .mul(target)
          .sum()
          .mul(-1 / batch);
  };
  const sgd = ({ params }, g) => ({ params: tree.map((p, d) => p.sub(d.mul(lr)), params, g) });
  const [beta1, beta2, eps] = [0.9, 0.999, 1e-8];
  const adam = ({ params, m, v, power1, power2 }, g) => {
    const m1 = tree.map((s, d) => s.mul(beta1).add(d.ref.mul(1 - beta1)), m, tree.ref(g));
    const v1 = tree.map((s, d) => s.mul(beta2).add(np.square(d).mul(1 - beta2)), v, g);
    // The powers of both betas travel in the state: a jitted function sees arrays only.
    const p1 = power1.mul(beta1);
    const p2 = power2.mul(beta2);
    const scale1 = np.array(1).sub(p1.ref);
    const scale2 = np.array(1).sub(p2.ref);
    const next = tree.map(
      (p, s, q) =>
        p.sub(
          s
            .div(scale1.ref)
            .mul(lr)
            .div(np.sqrt(q.div(scale2.ref)).add(eps)),
        ),
      params,
      tree.ref(m1),
      tree.ref(v1),
    );
    scale1.dispose();
    scale2.dispose();
    return { params: next, m: m1, v: v1, power1: p1, power2: p2 };
  };
  const update = optimizer === "adam" ? adam : sgd;
  const step = jit((state, input, target) => {
    const [cost, g] = valueAndGrad(lossOf)(tree.ref(state.params), input, target);
    return [cost, update(state, g)];
  });

  const input = np.array(x).reshape([batch, sizes[0]]);
  const wanted = targets.map((t) => np.array(loss === "mse" ? t : oneHot(t, outputs)).reshape([batch, outputs]));
  const params = weights.map((w, i) => ({
    w: np
      .array(w)
      .reshape([sizes[i + 1], sizes[i]])
      .transpose(),
    b: np.array(biases[i]),
  }));
  const zeros = () => params.map(({ w, b }) => ({ w: np.zeros(w.shape), b: np.zeros(b.shape) }));
  let state =
    optimizer === "adam" ? { params, m: zeros(), v: zeros(), power1: np.array(1), power2: np.array(1) } : { params };
  let n = 0;
  const advance = () => {
    let cost;
    [cost, state] = step(state, input.ref, wanted[n++ % wanted.length].ref);
    return cost;
  };
  return {
    // The loss is read at every step, for reading is what runs the step: unread ones pile up, and cost tenfold at 200.
    check: () => losses(() => advance().dataSync()[0]),
    run: (repetitions) => time(repetitions, () => advance().dataSync()),
    close: () => {
      tree.dispose([state, input, wanted]);
      step.dispose();
    },
  };
}

function oneHot(labels, classes) {
  const out = new Float32Array(labels.length * classes);
  for (const [i, label] of labels.entries()) out[i * classes + label] = 1;
  return out;
}

function openMatmul({ n, layout, a, b, probes }) {
  const left = np.array(a).reshape([n, n]);
  const right = np.array(b).reshape([n, n]);
  const product = jit((l, r) => np.matmul(layout === "TN" ? l.transpose() : l, layout === "NT" ? r.transpose() : r));
  return {
    check: () => {
      const values = product(left.ref, right.ref).dataSync();
      return probes.map((at) => values[at]);
    },
    run: async (repetitions) => {
      const start = performance.now();
      for (let i = 0; i < repetitions; i++) {
        const y = await blockUntilReady(product(left.ref, right.ref));
        y.dispose();
      }
      return performance.now() - start;
    },
    close: () => {
      left.dispose();
      right.dispose();
      product.dispose();
    },
  };
}
