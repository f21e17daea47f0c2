// A model as a function of its parameters.
import type { Module, StateDict } from "./module.js";

/**
 * The output of a model with other tensors in the places of some of its parameters and buffers; the model itself stays
 * as it is. For gradients with respect to computed parameters (meta-learning, hypernetworks).
 * PyTorch: `torch.func.functional_call`.
 *
 * @param parameters by name, as in `stateDict()`; those left out are the model's own.
 * @example
 * import { grad, tensor } from "gradine";
 * import { functionalCall, Linear } from "gradine/nn";
 * const weight = tensor([[2, 3]], { requiresGrad: true });
 * const y = functionalCall(new Linear(2, 1, { bias: false }), { weight }, tensor([[1, 10]]));
 * console.log(y.item(), grad(y, weight)[0].toArray()); // 32 [[1, 10]]
 */
export function functionalCall<In, Out>(
  model: Module<In, Out>,
  parameters: StateDict,
  input: In,
  ...more: readonly unknown[]
): Out {
  return model.withTensors(parameters, () => model.forward(input, ...(more as never[])));
}
