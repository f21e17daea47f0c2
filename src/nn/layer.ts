// What the library's own layers have in common: their options, their text, and errors that carry their path.
import { checkOptions } from "../error.js";
import { composed } from "../tape/index.js";
import { Tensor } from "../tensor/index.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

/** Options as a caller gives them: any may be left out, or undefined. */
export type Given<Options> = { readonly [Key in keyof Options]?: Options[Key] | undefined };

/** The options that were given, and the defaults of the others; unknown ones are rejected by name. */
export function settle<Options extends object>(op: string, given: Given<Options>, defaults: Options): Options {
  checkOptions(op, given, Object.keys(defaults));
  const settled = { ...defaults };
  for (const key of Object.keys(given) as (keyof Options)[]) {
    if (given[key] !== undefined) settled[key] = given[key] as Options[typeof key];
  }
  return settled;
}

const show = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(show).join(", ")}]` : typeof value === "string" ? `"${value}"` : String(value);

/**
 * A layer of the library. Fields in camelCase have PyTorch's names in state dicts: `runningMean` is `running_mean`.
 */
export abstract class Layer<In = Tensor, Out = Tensor> extends Module<In, Out> {
  /** Runs the body of `forward`; an error on the way gets the layer's path in the model. */
  protected guard<T>(body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw this.located(error);
    }
  }

  /** As `guard`, for a body of several ops: what it makes on the way is released with its results' graph, or at once. */
  protected composite<T>(inputs: readonly (Tensor | undefined)[], body: () => T): T {
    const tensors = inputs.filter((x): x is Tensor => x instanceof Tensor);
    return this.guard(() => composed(this.name, tensors, body));
  }

  override nameOf(field: string): string {
    return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  }

  /** Sizes and options: every field that is a number, a flag, a text or a list of such, and whether there is a bias. */
  protected override extraText(): string {
    const parts: string[] = [];
    const visit = ([key, value]: [string, unknown]): void => {
      if (key === "training") return;
      if (["number", "boolean", "string"].includes(typeof value)) parts.push(`${key}=${show(value)}`);
      else if (Array.isArray(value) && value.every((item) => typeof item === "number"))
        parts.push(`${key}=${show(value)}`);
      else if (key === "options") Object.entries(value as object).forEach(visit);
    };
    Object.entries(this).forEach(visit);
    if ("bias" in this && (this.bias === undefined || this.bias instanceof Parameter))
      parts.push(`bias=${this.bias !== undefined}`);
    return parts.join(", ");
  }
}
