// Ops made of other ops: what becomes of the tensors they make on the way.
import { forEachHandle, type Handle, moveTo, runInScope, Scope } from "../memory/index.js";
import type { Tensor } from "../tensor/index.js";
import { giveTo, graphOf } from "./graph.js";
import { nodeOf } from "./node.js";
import { place } from "./record.js";

/**
 * Runs the body of an op that is composed of others. If nothing of it was recorded, all it made but its results is
 * released at once; otherwise that goes where the results go: their scope, or in a bare loop their graph, with which it
 * is released. An error releases everything.
 *
 * @param name the op.
 * @param inputs the op's inputs: in a bare loop the results go with them.
 * @param fn gives a tensor, or tensors in an array or object.
 */
export function composed<T>(name: string, inputs: readonly Tensor[], fn: () => T): T {
  const results: Tensor[] = [];
  let temporaries: Handle[] = [];
  const value = runInScope(name, (scope) => {
    const made = fn();
    forEachHandle(made, (handle) => {
      if (handle.owner === scope) results.push(handle as Tensor);
    });
    if (results.some((y) => nodeOf(y) !== null)) {
      temporaries = scope.members.filter((handle) => handle.owner === scope && !results.includes(handle as Tensor));
      for (const handle of temporaries) handle.owner = null;
    }
    return made;
  });
  // Results join one graph, so that walking from one of them releases what the others share with it.
  const first = results.find((y) => nodeOf(y) !== null);
  if (first !== undefined) place(first, inputs, true);
  const beside = first === undefined ? inputs : [...inputs, first];
  for (const y of results) if (y !== first) place(y, beside, nodeOf(y) !== null);
  if (temporaries.length === 0) return value;
  const { owner } = first!;
  if (owner instanceof Scope) for (const handle of temporaries) moveTo(handle, owner);
  else giveTo(graphOf(first!)!, temporaries);
  return value;
}
