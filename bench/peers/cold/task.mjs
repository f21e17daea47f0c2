// What the programs of this folder predict: a small MLP from seeded weights, tanh between its layers, one row.
import { mlp, tanh } from "../../nets.mjs";

export const net = mlp({ sizes: [2, 16, 16, 1], activation: tanh, batch: 1 });
export const print = (values) => console.log(JSON.stringify(Array.from(values)));
