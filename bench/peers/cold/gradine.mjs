// Gradine from a cold start to its first prediction.
import { network, toTensor } from "../gradine-nets.mjs";
import { net, print } from "./task.mjs";

print(network(net.layers).forward(toTensor(net.x)).toTypedArray());
