// The same with layers: they are loaded too, draw their initial weights, and are given those of the task.
import { tensor } from "../../../dist/index.js";
import { Linear, Sequential, Tanh } from "../../../dist/nn/index.js";
import { net, print } from "./task.mjs";

const toTensor = ({ shape, data }) => tensor(data, { shape });
const model = new Sequential(
  ...net.layers.map(({ type, ins, outs }) => (type === "tanh" ? new Tanh() : new Linear(ins, outs))),
);
const weights = net.layers.flatMap(({ params = {} }, i) =>
  Object.entries(params).map(([name, param]) => [`${i}.${name}`, toTensor(param)]),
);
model.loadStateDict(Object.fromEntries(weights));
print(model.forward(toTensor(net.x)).toTypedArray());
