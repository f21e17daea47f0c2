// Activations as layers.
import { relu, sigmoid, tanh } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";
import { Module } from "./module.js";

/** max(x, 0). PyTorch: `torch.nn.ReLU`. */
export class ReLU extends Module {
  static override typeName = "ReLU";
  forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** 1 / (1 + e⁻ˣ). PyTorch: `torch.nn.Sigmoid`. */
export class Sigmoid extends Module {
  static override typeName = "Sigmoid";
  forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** Hyperbolic tangent. PyTorch: `torch.nn.Tanh`. */
export class Tanh extends Module {
  static override typeName = "Tanh";
  forward(x: Tensor): Tensor {
    return tanh(x);
  }
}
