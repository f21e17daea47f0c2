// Who releases recorded tensors in a bare loop, where no scope does. (In a scope, the scope does.)
//
//   A Graph owns the unscoped tensors that were recorded on connected nodes. When backward() consumes nodes, the
//   tensors of these and of all that was computed from them are doomed: readable until the first op is recorded none
//   of whose inputs is doomed, then released.
//   Loose tensors are cut off the tape but made from its tensors: by detach(), by noGrad(), or computed from such. One
//   that was never read belongs to its holder. One that was read is released when no graph holds it any more and it
//   has not been read for `patience` generations. A generation ends when doomed tensors are released, and whenever
//   noGrad() gives a tensor out (a bare loop of predictions records nothing).
import {
  type Handle,
  type Owner,
  release,
  type Scope,
  stepEnded,
  tick,
  WATCHED,
  watchHolder,
} from "../memory/index.js";
import type { Tensor } from "../tensor/index.js";
import { nodeOf } from "./node.js";

const patience = 32;

export class Graph implements Owner {
  readonly label = "when the next op was recorded after backward()";
  tensors: Tensor[] = [];
  /** Unrecorded tensors that go with the graph: what non-differentiable ops made of its tensors, a walk's own. */
  satellites: Handle[] = [];
  /** Loose tensors that the graph's ops read. */
  reads: LooseEntry[] = [];
  /** The graph this one was merged into. */
  into: Graph | null = null;
  /** Generation in which an op joined it last. */
  touched = 0;
  /** Whether `tensors` is in order of recording. */
  sorted = true;
}

/** A loose tensor and how many graphs hold it. Its `lastGeneration` is that of its last read (0: never read). */
interface LooseEntry {
  /** Weak, where the engine can: the list must not keep alive what the program let go. */
  readonly tensor: { deref(): Tensor | undefined };
  holders: number;
}

class Doomed implements Owner {
  readonly label = "when the next op was recorded after backward()";
  tensors: Handle[] = [];
}

const doomed = new Doomed();
/**
 * Graphs of which a walk consumed a part: what is left (a loss whose recorded gradient alone was walked on) is taken for
 * abandoned when no op has joined it for `patience` generations.
 */
let waning: Graph[] = [];
let loose: LooseEntry[] = [];
const looseEntries = new WeakMap<Handle, LooseEntry>();

function find(graph: Graph): Graph {
  let root = graph;
  while (root.into !== null) root = root.into;
  if (graph !== root) graph.into = root;
  return root;
}

/** The graph that owns a tensor, if one does. */
export const graphOf = (x: Handle): Graph | null => (x.owner instanceof Graph ? find(x.owner) : null);

function merge(a: Graph, b: Graph): Graph {
  if (a === b) return a;
  const [big, small] = a.tensors.length >= b.tensors.length ? [a, b] : [b, a];
  for (const t of small.tensors) big.tensors.push(t);
  for (const t of small.satellites) big.satellites.push(t);
  for (const entry of small.reads) big.reads.push(entry);
  big.sorted = false;
  small.into = big;
  small.tensors = [];
  return big;
}

/** An unscoped op was recorded: its tensor joins (and connects) the graphs of its inputs. */
export function joinGraph(y: Tensor, inputs: readonly Tensor[]): void {
  if (doomed.tensors.length > 0 && !inputs.some((x) => x.owner === doomed)) endGeneration();
  let graph: Graph | null = null;
  for (const x of inputs) {
    const other = graphOf(x);
    if (other !== null) graph = graph === null ? other : merge(graph, other);
  }
  graph ??= new Graph();
  graph.touched = tick.generation;
  y.owner = graph;
  graph.tensors.push(y);
  for (const x of inputs) {
    if (x.owner !== null || !x.derived) continue;
    const entry = looseEntries.get(x);
    if (entry === undefined) continue;
    entry.holders++;
    graph.reads.push(entry);
  }
}

/** An unscoped op was not recorded: what it made goes where its inputs go. */
export function followInputs(y: Tensor, inputs: readonly Tensor[]): void {
  for (const x of inputs) {
    if (x.owner === doomed) {
      y.owner = doomed;
      doomed.tensors.push(y);
      return;
    }
  }
  for (const x of inputs) {
    const graph = graphOf(x);
    if (graph !== null) {
      y.owner = graph;
      graph.satellites.push(y);
      return;
    }
  }
  if (inputs.some((x) => x.derived && looseEntries.has(x))) makeLoose(y);
}

/** The tensor is off the tape but made from its tensors: released some time after its last use. */
export function makeLoose(x: Tensor): void {
  if (looseEntries.has(x)) return;
  x.derived = true;
  x.state |= WATCHED;
  const entry = { tensor: typeof WeakRef === "undefined" ? { deref: () => x } : new WeakRef(x), holders: 0 };
  looseEntries.set(x, entry);
  loose.push(entry);
  watchHolder(x);
}

/** As makeLoose, for what noGrad() gives out. */
export function escapeNoGrad(x: Tensor): void {
  makeLoose(x);
  nextGeneration();
}

/** Gives what a scope holds to a graph: a recorded walk's results and its constants. */
export function giveToGraph(graph: Graph, scope: Scope): void {
  giveTo(
    graph,
    scope.members.filter((handle) => handle.owner === scope),
  );
}

/** Gives tensors, recorded or not, to a graph. */
export function giveTo(graph: Graph, handles: readonly Handle[]): void {
  for (const handle of handles) {
    handle.owner = graph;
    if (nodeOf(handle as Tensor) === null) graph.satellites.push(handle);
    else {
      graph.tensors.push(handle as Tensor);
      graph.sorted = false;
    }
  }
}

/** An op's extra tensor (saved, not returned) goes where its result goes: with the graph, or at once if nothing needs it. */
export function goesWith(y: Tensor, extra: Tensor): void {
  const graph = graphOf(y);
  if (extra.owner !== null) return;
  if (graph !== null) {
    extra.owner = graph;
    graph.satellites.push(extra);
  } else if (nodeOf(y) === null) extra.release(`within ${y.op}()`);
}

/** After a walk consumed nodes: dooms the graph's tensors that lie on them or were computed from such. */
export function sweep(graph: Graph): void {
  const members = graph.tensors.filter((t) => graphOf(t) === graph);
  if (!graph.sorted) {
    members.sort((a, b) => nodeOf(a)!.sequence - nodeOf(b)!.sequence);
    graph.sorted = true;
  }
  const survivors: Tensor[] = [];
  for (const t of members) {
    const node = nodeOf(t)!;
    // In order of recording, so that an input's mark is final before it is looked at.
    if (!node.consumed) for (const edge of node.edges) if (edge?.consumed) node.consumed = true;
    if (node.consumed) doom(t);
    else survivors.push(t);
  }
  graph.tensors = survivors;
  if (survivors.length > 0) {
    if (!waning.includes(graph)) waning.push(graph);
  } else letGo(graph, doom);
}

/** Lets go of what went with a graph whose tensors are all gone. */
function letGo(graph: Graph, rid: (handle: Handle) => void): void {
  for (const handle of graph.satellites) if (graphOf(handle) === graph) rid(handle);
  graph.satellites = [];
  for (const entry of graph.reads) entry.holders--;
  graph.reads = [];
}

function doom(handle: Handle): void {
  handle.owner = doomed;
  doomed.tensors.push(handle);
}

function endGeneration(): void {
  const { tensors } = doomed;
  doomed.tensors = [];
  release(tensors, doomed);
  stepEnded();
  nextGeneration();
}

function nextGeneration(): void {
  tick.generation++;
  if (waning.length > 0) waning = waning.filter(isAlive);
  if (loose.length === 0) return;
  loose = loose.filter((entry) => {
    const x = entry.tensor.deref();
    // Collected, disposed, kept, or it came into a scope.
    if (x === undefined || x.released || !x.derived || x.owner !== null) return false;
    if (x.lastGeneration === 0 || entry.holders > 0 || tick.generation - x.lastGeneration <= patience) return true;
    x.release("after a detached tensor had not been read for a while");
    return false;
  });
}

/** Whether a waning graph may still be walked; releases it if not. */
function isAlive(graph: Graph): boolean {
  if (graph.into !== null || graph.tensors.length === 0) return false;
  if (tick.generation - graph.touched <= patience) return true;
  const rid = (handle: Handle) =>
    handle.release("after a part of its graph had been walked and nothing joined it for a while");
  for (const t of graph.tensors) if (graphOf(t) === graph) rid(t);
  graph.tensors = [];
  letGo(graph, rid);
  return false;
}

/** The fate of a tensor that a loop made but cannot claim: consumed graphs are doomed, the rest is its holder's. */
export function orphan(handle: Handle): void {
  if (nodeOf(handle as Tensor)?.consumed) doom(handle);
  else watchHolder(handle);
}

/** Notes the reads of a tensor from now on, so that a loop carries it on if it is read. */
export function watchReads(x: Handle): void {
  x.state |= WATCHED;
  x.lastRead = tick.now;
}
