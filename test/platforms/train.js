// The program whose weights are the same bits on every platform: a small network on seeded data. It uses nothing but the
// language and the library, so that a bare `vm` context can run it.
import { manualSeed, randn, steps, tensor } from "gradine";
import { CrossEntropyLoss, Linear, Sequential, Tanh } from "gradine/nn";
import { SGD } from "gradine/optim";

const [rows, features, hidden, classes] = [64, 8, 16, 3];

/** Trains 200 steps and gives the first and last loss, and every weight's bits in hexadecimal. */
export function train() {
  manualSeed(1);
  const x = randn([rows, features]);
  const values = x.toTypedArray();
  // The class is the largest of a row's first three features: learnable, and free of arithmetic.
  const labels = Array.from({ length: rows }, (_, row) => {
    const first = Array.from(values.subarray(row * features, row * features + classes));
    return first.indexOf(Math.max(...first));
  });
  const y = tensor(Int32Array.from(labels));
  const model = new Sequential(new Linear(features, hidden), new Tanh(), new Linear(hidden, classes));
  const criterion = new CrossEntropyLoss();
  const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  const losses = [];
  for (const _ of steps(200)) {
    optimizer.zeroGrad();
    const loss = criterion.forward(model.forward(x), y);
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
  }
  let weights = "";
  for (const [name, parameter] of model.namedParameters()) {
    const bits = new Uint32Array(Float32Array.from(parameter.toTypedArray()).buffer);
    weights += `${name} ${Array.from(bits, (word) => word.toString(16).padStart(8, "0")).join("")}\n`;
  }
  return { first: losses[0], last: losses[losses.length - 1], weights };
}
