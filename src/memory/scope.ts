// Scopes: who releases what. Two kinds:
//   a function's (`scope`, `noGrad`): strictly nested, synchronous; frees all but what the function returns
//   a loop's iteration (`steps(n)`, a loader): frees what the last iteration made when the loop advances
//
// A new handle belongs to the scope that is current. Loops may overlap: two loaders advanced in turn, two async
// functions. An iteration is current from its beginning to the end of that synchronous run (found out by a microtask);
// after an `await` nobody can know which loop goes on, so a new tensor then joins the scope of its inputs (`settle`).
// An iteration that was awaited in may even have been current while its caller went on and made tensors of its own; so
// it frees what came of its batch (`rooted`) and leaves the rest to the tape's rules for bare loops (`orphan`).
// Whatever stays unattributed belongs to its holder: late is repaired by the garbage collector, early never happens.
import { typeError } from "../error.js";
import { Handle, type Owner, tick, watchHolder } from "./handle.js";
import { stepEnded, WATCHED } from "./storage.js";

export class Scope implements Owner {
  declare private readonly what: string;
  declare private readonly does: string;
  /**
   * What joined it. A new array for each call and iteration, not one that is emptied: writing a new object into an old one
   * costs a call into the garbage collector's books.
   */
  members: Handle[] = [];
  declare parent: Scope | null;
  /** Iteration scopes stay open between advances; a function's is open while it runs. */
  open = true;
  declare readonly iteration: boolean;

  constructor(what: string, does: string, parent: Scope | null, iteration: boolean) {
    this.what = what;
    this.does = does;
    this.parent = parent;
    this.iteration = iteration;
  }

  get label(): string {
    return `when ${this.what} ${this.does}`;
  }
}

/** The scope that new handles join. */
export let current: Scope | null = null;

/** Open iteration scopes; `settle` has work only when there are some. */
export let openLoops = 0;

/** Members of top-level loops that ended; the next top-level loop takes them over and carries those it reads. */
const tail = new Scope("a later loop", "went on without reading it", null, false);
let tailRun = 0;

// Synchronous runs: `run` rises when a microtask finds that the run in which an iteration began has ended. `mixed`:
// that happened while several loops were open, so that any of them may be the one that goes on.
let run = 0;
let runWatched = false;
let mixed = false;

/** What becomes of a handle that its iteration cannot claim; the tape puts its rules for bare loops here. */
let orphan: (handle: Handle) => void = watchHolder;
export function installOrphanage(rule: typeof orphan): void {
  orphan = rule;
}

function becomeCurrent(scope: Scope): void {
  current = scope;
  if (runWatched) return;
  runWatched = true;
  Promise.resolve().then(() => {
    runWatched = false;
    run++;
    current = null;
    if (openLoops > 1) mixed = true;
  });
}

/** A new handle joins the current scope, or its holder. */
export function adopt(handle: Handle): void {
  if (current === null || (mixed && current.iteration)) {
    if (openLoops > 0) watchHolder(handle);
    return;
  }
  handle.owner = current;
  current.members.push(handle);
}

function loopClosed(): void {
  if (--openLoops <= 1) mixed = false;
}

/** Moves a handle to another scope (null: its holder). */
export function moveTo(handle: Handle, scope: Scope | null): void {
  handle.owner = scope;
  if (scope !== null) scope.members.push(handle);
}

/**
 * Where loops may overlap: a result belongs to the innermost open loop among its inputs' scopes, unless the current
 * scope lies within that loop anyway. Called with each op's result while loops are open.
 */
export function settle(handle: Handle, inputs: readonly Handle[]): void {
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i]!;
    const scope = input.owner;
    if (scope === null) continue;
    if (input.rooted) handle.rooted = true;
    if (scope === current || !(scope instanceof Scope) || !scope.open) continue;
    if (current !== null && isWithin(current, scope)) continue;
    if (current !== null && !current.iteration) continue; // a function's scope is never mistaken
    becomeCurrent(scope);
  }
  if (current !== null && handle.owner !== current) moveTo(handle, current);
}

function isWithin(inner: Scope, outer: Scope): boolean {
  for (let s: Scope | null = inner; s !== null; s = s.parent) if (s === outer) return true;
  return false;
}

/** Releases those of `members` that `owner` still owns. */
export function release(members: readonly Handle[], owner: Owner): void {
  let cause: string | undefined;
  for (let i = 0; i < members.length; i++) {
    const handle = members[i]!;
    if (handle.owner === owner) handle.release((cause ??= owner.label));
  }
}

/** Every handle within a value: itself, or in arrays, plain objects, Maps and Sets, at any depth. */
export function forEachHandle(value: unknown, visit: (handle: Handle) => void): void {
  if (value instanceof Handle) visit(value);
  else if (Array.isArray(value) || value instanceof Set) for (const item of value) forEachHandle(item, visit);
  else if (value instanceof Map) for (const item of value.values()) forEachHandle(item, visit);
  else if (typeof value === "object" && value !== null) {
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      for (const item of Object.values(value)) forEachHandle(item, visit);
    }
  }
}

/** Runs `fn` in a scope of its own and gives what it returns to the enclosing one. */
export function runInScope<T>(name: string, fn: (scope: Scope) => T, onEscape?: (handle: Handle) => void): T {
  const parent = current;
  const scope = new Scope(name, "ended", parent, false);
  current = scope;
  let result: T;
  try {
    result = fn(scope);
    if (typeof (result as { then?: unknown } | null | undefined)?.then === "function") {
      throw typeError(name, "the function returned a promise", "It must be synchronous: await outside of it.");
    }
  } catch (error) {
    leave(scope, parent);
    release(scope.members, scope);
    throw error;
  }
  leave(scope, parent);
  if (result !== undefined) {
    forEachHandle(result, (handle) => {
      if (handle.owner !== scope) return;
      handle.owner = null;
      adopt(handle);
      if (handle.owner === null) onEscape?.(handle);
    });
  }
  release(scope.members, scope);
  return result;
}

/** Loops begun inside a function's scope and left open there end with it. */
function leave(scope: Scope, parent: Scope | null): void {
  for (let s = current; s !== null && s !== scope; s = s.parent) {
    if (s.iteration && s.open) {
      s.open = false;
      loopClosed();
    }
    for (const handle of s.members) if (handle.owner === s) moveTo(handle, scope);
    s.members = [];
  }
  scope.open = false;
  current = parent;
}

/** The scope of a loop's iterations: `advance` before each, `finish` at the end, on break and on throw. */
export class LoopScope {
  private readonly scope: Scope;
  private readonly label: string;
  private begun = false;
  /** When this iteration began, in `tick`s: a tensor read since then was read in it. */
  private time = 0;
  /** The synchronous run in which it began. */
  private begunIn = 0;

  constructor(label: string) {
    this.scope = new Scope(label, "advanced", null, true);
    this.label = this.scope.label;
  }

  /** Releases the last iteration, but for what carries on, and begins the next. */
  advance(): void {
    const { scope } = this;
    if (!this.begun) {
      this.begun = true;
      scope.parent = current;
      openLoops++;
      if (scope.parent === null) takeTail(scope);
    } else if (scope.open) {
      detachInner(scope);
      const { members } = scope;
      const carried: Handle[] = [];
      for (let i = 0; i < members.length; i++) {
        const handle = members[i]!;
        if (handle.owner !== scope) continue;
        // Carried: detached tensors (and a former loop's tail) that were made or read in this iteration.
        if ((handle.state & WATCHED) !== 0 && handle.lastRead >= this.time) carried.push(handle);
        else if (this.begunIn === run || handle.rooted) handle.release(this.label);
        else {
          handle.owner = null;
          orphan(handle);
        }
      }
      scope.members = carried;
      stepEnded();
    } else return;
    this.time = ++tick.now;
    this.begunIn = run;
    // Within a function that was called in this loop the function's scope stays current; in one that holds the loop, not.
    if (current === null || current.iteration || isWithin(scope, current)) becomeCurrent(scope);
  }

  /** Makes a batch in a scope of its own and gives it to this iteration, whatever else goes on at the time. */
  make<T>(fn: () => T): T {
    const batch: Handle[] = [];
    const made = runInScope("the loader", (scope) => {
      const result = fn();
      forEachHandle(result, (handle) => {
        if (handle.owner === scope) batch.push(handle); // and not the dataset's own
      });
      return result;
    });
    for (const handle of batch) {
      moveTo(handle, this.scope);
      handle.rooted = true;
    }
    return made;
  }

  /** The tensors of the last iteration pass to the enclosing scope. */
  finish(): void {
    const { scope } = this;
    if (!this.begun || !scope.open) return;
    scope.open = false;
    loopClosed();
    detachInner(scope);
    const heir = scope.parent ?? tail;
    for (const handle of scope.members) {
      if (handle.owner === scope) moveTo(handle, heir);
    }
    scope.members = [];
    if (heir === tail) tailRun = run;
    if (current === scope) {
      current = scope.parent;
      while (current !== null && !current.open) current = current.parent;
    }
  }
}

/** A loop that goes on while a scope begun later is still open does not enclose it: they overlap. */
function detachInner(scope: Scope): void {
  for (let s = current; s !== null && s !== scope; s = s.parent) {
    if (s.parent === scope && s.iteration) s.parent = scope.parent;
  }
}

/**
 * What a former top-level loop left goes on in this one as long as it is read. Left alone when there was an `await`
 * between the two: then another async function may still be using it, and the garbage collector will find it.
 */
function takeTail(scope: Scope): void {
  const { members } = tail;
  tail.members = [];
  for (const handle of members) {
    if (handle.owner !== tail) continue;
    if (tailRun === run) {
      handle.state |= WATCHED;
      handle.lastRead = 0;
      moveTo(handle, scope);
    } else {
      handle.owner = null;
      watchHolder(handle);
    }
  }
}
