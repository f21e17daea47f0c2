// A process without a library: what starting Node and reading the task costs.
import { net, print } from "./task.mjs";

print(net.x.data);
