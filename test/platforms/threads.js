// The program whose weights are the same bits for any number of threads: large enough for its kernels to be cut.
import { backend, crossEntropy, init, manualSeed, randint, randn, steps } from "gradine";
import { BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential } from "gradine/nn";
import { Adam } from "gradine/optim";

/** Trains on `threads` threads; how many there were, why not more, and every weight's bits in hexadecimal. */
export async function train(threads) {
  if (threads > 1) await init({ threads });
  manualSeed(1);
  const model = new Sequential(
    new Conv2d(3, 16, 3, { padding: 1 }),
    new BatchNorm2d(16),
    new ReLU(),
    new MaxPool2d(2),
    new Flatten(),
    new Linear(16 * 14 * 14, 128),
    new Dropout(0.3),
    new Linear(128, 10),
  );
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  const x = randn([32, 3, 28, 28]);
  const y = randint(10, [32]);
  for (const _ of steps(10)) {
    optimizer.zeroGrad();
    crossEntropy(model.forward(x), y).backward();
    optimizer.step();
  }
  let weights = "";
  for (const [name, parameter] of model.namedParameters()) {
    const bits = new Uint32Array(Float32Array.from(parameter.toTypedArray()).buffer);
    weights += `${name} ${Array.from(bits, (word) => word.toString(16).padStart(8, "0")).join("")}\n`;
  }
  return { ...backend(), weights };
}
