// Gradine from a cold start to its first prediction, made of operations like the programs of the other peers.
import { linear, tanh, tensor } from "../../../dist/index.js";
import { net, print } from "./task.mjs";

const toTensor = ({ shape, data }) => tensor(data, { shape });
let h = toTensor(net.x);
for (const { type, params } of net.layers) {
  if (type === "tanh") h = tanh(h);
  else h = linear(h, toTensor(params.weight), toTensor(params.bias));
}
print(h.toTypedArray());
