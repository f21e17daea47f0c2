// Calls whose optional tensors may stand by position or among the options: `layerNorm(x, shape, weight, bias, { eps })`,
// `layerNorm(x, shape, { weight, bias, eps })`.
import { checkOptions, describe, typeError } from "../error.js";
import { Tensor } from "../tensor/index.js";

/** An optional tensor's place: the tensor, nothing, or the options in last place. */
export type OrOptions<O> = Tensor | null | undefined | O;

/**
 * Options with the positional tensors among them.
 *
 * @param names what the places stand for, in order.
 * @param places what was given, the options in last place.
 * @param known all option names, where the caller's `readOptions` does not see to them.
 */
export function optionsFrom<O extends object>(
  op: string,
  names: readonly (keyof O & string)[],
  places: readonly OrOptions<O>[],
  known?: readonly (keyof O & string)[],
): O {
  const gathered: Record<string, unknown> = {};
  let last = places.length - 1;
  while (last >= 0 && (places[last] === undefined || places[last] === null)) last--;
  for (let i = 0; i <= last; i++) {
    const given = places[i];
    if (given === undefined || given === null) continue;
    if (given instanceof Tensor && i < names.length) gathered[names[i]!] = given;
    else if (i === last && typeof given === "object" && Object.getPrototypeOf(given) === Object.prototype) {
      if (known) checkOptions(op, given, known);
      Object.assign(gathered, given);
    } else {
      const what = i < names.length ? `${names[i]} must be a tensor` : "options must be a plain object";
      throw typeError(op, `${what}: got ${describe(given)}`);
    }
  }
  return gathered as O;
}
