// Memory as the rest of the library sees it: heap, storages, handles, scopes.

export type { Owner } from "./handle.js";
export { Handle, tick, watchHolder } from "./handle.js";
export { heap, nullPtr, offset, word } from "./heap.js";
export type { Backend, InitOptions } from "./init.js";
export { backend, init, threads } from "./init.js";
export {
  adopt,
  current,
  forEachHandle,
  installOrphanage,
  LoopScope,
  moveTo,
  openLoops,
  release,
  runInScope,
  Scope,
  settle,
} from "./scope.js";
export type { MemoryReport } from "./storage.js";
export { memory, RELEASED, Storage, stepEnded, TRANSPOSED, WATCHED, writeTime } from "./storage.js";
