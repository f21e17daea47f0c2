// TensorFlow.js from a cold start to its first prediction, in its smallest form: tfjs-core and the wasm backend.

import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { net, print } from "./task.mjs";

setWasmPaths(new URL("../../node_modules/@tensorflow/tfjs-backend-wasm/dist/", import.meta.url).pathname);
await tf.setBackend("wasm");
let h = tf.tensor(net.x.data, net.x.shape);
for (const { type, params } of net.layers) {
  if (type === "tanh") h = tf.tanh(h);
  else
    h = tf.add(
      tf.matMul(h, tf.tensor(params.weight.data, params.weight.shape), false, true),
      tf.tensor(params.bias.data),
    );
}
print(h.dataSync());
