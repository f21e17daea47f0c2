// Random numbers written into a tensor that exists: what initializers do.
import { kernels } from "../kernels/index.js";
import { defaultGenerator, type Generator, ptr, type Tensor } from "../tensor/index.js";
import { checkFloat } from "./launch.js";

/** Fills x with numbers uniform in [low, high) and gives x. */
export function fillUniform(x: Tensor, low: number, high: number, generator: Generator = defaultGenerator): Tensor {
  checkFloat("uniform", "x", x);
  const at = ptr(x);
  x.storage.written();
  kernels.uniform(generator.ptr, at, x.numel, low, high);
  return x;
}

/** Fills x with normal numbers and gives x. */
export function fillNormal(x: Tensor, mean: number, std: number, generator: Generator = defaultGenerator): Tensor {
  checkFloat("normal", "x", x);
  const at = ptr(x);
  x.storage.written();
  kernels.normal(generator.ptr, at, x.numel, mean, std);
  return x;
}
