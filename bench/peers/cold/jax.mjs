// jax-js from a cold start to its first prediction.
import { defaultDevice, init, numpy as np } from "@jax-js/jax";
import { net, print } from "./task.mjs";

await init("wasm");
defaultDevice("wasm");
let h = np.array(net.x.data).reshape(net.x.shape);
for (const { type, params } of net.layers) {
  if (type === "tanh") h = np.tanh(h);
  else
    h = np
      .matmul(h, np.array(params.weight.data).reshape(params.weight.shape).transpose())
      .add(np.array(params.bias.data));
}
print(h.dataSync());
