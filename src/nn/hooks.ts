// Hooks on forward passes.
import type { AnyModule } from "./module.js";

/** Called with a module's inputs before it runs; an array that it returns replaces them. */
export type ForwardPreHook = (module: AnyModule, inputs: readonly unknown[]) => readonly unknown[] | undefined;
/** Called with a module's inputs and output; what it returns, if not undefined, replaces the output. */
export type ForwardHook = (module: AnyModule, inputs: readonly unknown[], output: unknown) => unknown;

/** @internal The hooks of one module. */
export interface Hooks {
  before: readonly ForwardPreHook[];
  after: readonly ForwardHook[];
  /** Takes the wrapper away when there is none left. */
  tidy(): void;
}

const hooksOf = new WeakMap<AnyModule, Hooks>();

/** @internal A module's hooks, run by an own `forward` that hides the class's: a module without hooks pays nothing for them. */
export function hooksFor(module: AnyModule): Hooks {
  const known = hooksOf.get(module);
  if (known !== undefined) return known;
  const own = Object.getOwnPropertyDescriptor(module, "forward");
  const hooks: Hooks = {
    before: [],
    after: [],
    tidy() {
      if (hooks.before.length + hooks.after.length > 0 || hooksOf.get(module) !== hooks) return;
      hooksOf.delete(module);
      delete (module as { forward?: unknown }).forward;
      if (own !== undefined) Object.defineProperty(module, "forward", own);
    },
  };
  hooksOf.set(module, hooks);
  const forward = module.forward as (...inputs: readonly unknown[]) => unknown;
  const value = (...given: readonly unknown[]) => {
    let inputs = given;
    for (const hook of hooks.before) inputs = hook(module, inputs) ?? inputs;
    let output = forward.apply(module, inputs as unknown[]);
    for (const hook of hooks.after) output = hook(module, inputs, output) ?? output;
    return output;
  };
  Object.defineProperty(module, "forward", { value, configurable: true, writable: true });
  return hooks;
}
