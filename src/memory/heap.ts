// The allocator over linear memory, and typed views of it. Blocks are 64-byte aligned.
//   small (<= 32 KiB): size classes, four a doubling, cut from slabs; never freed: storages keep them for the next of their class
//   large: best fit among address-sorted free regions, which merge with their neighbours when freed
import { growMemory, kernels, memory, type Ptr, startKernels } from "../kernels/index.js";

/** Blocks up to this many bytes come in size classes. */
export const smallLimit = 32768;
const largeGrain = 1024;
// Operands at one offset modulo 4096 make loads wait for stores to the other (4K aliasing: an add of 1M elements loses up
// to 30 %), and arrays whose size is a power of two would all lie so. This much more a block spreads them.
const largeStagger = 1344;
/** Bytes that wasm addresses. */
export const addressable = 4294967296;

/** Views of the whole heap; replaced when it grows, so take them fresh for every use. */
export const heap = {
  f32: new Float32Array(0),
  i32: new Int32Array(0),
  u32: new Uint32Array(0),
  /** Most bytes the heap may take, 4 GiB unless `init` says less. */
  limit: addressable,
  started: false,
};

/** Index of an address in a view of 4-byte elements. */
export const word = (ptr: Ptr): number => (ptr as unknown as number) >>> 2;

/** The address `bytes` after `ptr`. Together with `word` the only arithmetic on addresses. */
export const offset = (ptr: Ptr, bytes: number): Ptr => ((ptr as unknown as number) + bytes) as unknown as Ptr;

/** No address: an absent optional operand. */
export const nullPtr = 0 as unknown as Ptr;

let top = 0; // everything from here on is untouched
let capacity = 0;
/** The least limit that does not cut into blocks. */
export const heapEnd = (): number => top;
const fresh: number[][] = []; // blocks of each class that no storage has had yet
const regionAt: number[] = []; // free regions, by address
const regionSize: number[] = [];

function start(): void {
  if (kernels === undefined) startKernels();
  heap.started = true;
  top = (kernels.heapBase() + 63) & ~63;
  refreshViews();
}

/** To be called after the heap has grown or moved. */
export function refreshViews(): void {
  const buffer = memory.buffer;
  capacity = buffer.byteLength;
  heap.f32 = new Float32Array(buffer);
  heap.i32 = new Int32Array(buffer);
  heap.u32 = new Uint32Array(buffer);
}

/** Class of a size up to `smallLimit`: 0..3 for 64, 128, 192, 256; then four classes a doubling. */
export function classOf(bytes: number): number {
  if (bytes <= 256) return bytes <= 64 ? 0 : ((bytes + 63) >> 6) - 1;
  const e = 31 - Math.clz32(bytes - 1); // 2^e < bytes <= 2^(e+1)
  return (e - 8) * 4 + ((bytes - 1) >> (e - 2));
}

function classBytes(index: number): number {
  if (index < 4) return (index + 1) << 6;
  const e = ((index - 4) >> 2) + 8;
  return (((index - 4) & 3) + 5) << (e - 2);
}

/** Bytes a block for `bytes` really takes. */
export function blockBytes(bytes: number): number {
  if (bytes <= smallLimit) return classBytes(classOf(bytes));
  return Math.ceil(bytes / largeGrain) * largeGrain + largeStagger;
}

/** A block of `blockBytes(size)` bytes, contents undefined; 0 when there is no room. */
export function allocateBlock(size: number): Ptr {
  if (!heap.started) start();
  if (size > smallLimit) return takeRegion(blockBytes(size)) as unknown as Ptr;
  const index = classOf(size);
  const list = (fresh[index] ??= []);
  if (list.length === 0 && !cutSlab(list, classBytes(index))) return nullPtr;
  return list.pop()! as unknown as Ptr;
}

/** Gives a large block back; `size` is what it was asked for. */
export function freeBlock(ptr: Ptr, size: number): void {
  returnRegion(ptr as unknown as number, blockBytes(size));
}

/** Cuts a fresh slab into blocks, the lowest address on top of the list. */
function cutSlab(list: number[], block: number): boolean {
  const count = Math.max(1, Math.min(64, Math.floor(65536 / block)));
  let at = takeRegion(count * block);
  let blocks = count;
  if (at === 0) {
    at = takeRegion(block); // near the limit: just the one block
    blocks = 1;
    if (at === 0) return false;
  }
  for (let i = blocks - 1; i >= 0; i--) list.push(at + i * block);
  return true;
}

function takeRegion(size: number): number {
  let best = -1;
  for (let i = 0; i < regionSize.length; i++) {
    if (regionSize[i]! >= size && (best < 0 || regionSize[i]! < regionSize[best]!)) best = i;
  }
  if (best >= 0) {
    const at = regionAt[best]!;
    if (regionSize[best] === size) {
      regionAt.splice(best, 1);
      regionSize.splice(best, 1);
    } else {
      regionAt[best]! += size;
      regionSize[best]! -= size;
    }
    return at;
  }
  return extend(size);
}

/** Takes from the untouched end; the heap grows by at least an eighth, so that growing stays rare. */
function extend(size: number): number {
  const end = top + size;
  if (end > heap.limit) return 0;
  if (end > capacity) {
    const generous = Math.min(heap.limit, Math.max(end, capacity + (capacity >>> 3)));
    if (!growMemory(generous) && !growMemory(end)) return 0;
    refreshViews();
  }
  const at = top;
  top = end;
  return at;
}

function returnRegion(at: number, size: number): void {
  let low = 0;
  let high = regionAt.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (regionAt[middle]! < at) low = middle + 1;
    else high = middle;
  }
  const joinsLeft = low > 0 && regionAt[low - 1]! + regionSize[low - 1]! === at;
  const joinsRight = low < regionAt.length && at + size === regionAt[low];
  if (joinsLeft) {
    regionSize[low - 1]! += size + (joinsRight ? regionSize[low]! : 0);
    if (joinsRight) {
      regionAt.splice(low, 1);
      regionSize.splice(low, 1);
    }
  } else if (joinsRight) {
    regionAt[low] = at;
    regionSize[low]! += size;
  } else {
    regionAt.splice(low, 0, at);
    regionSize.splice(low, 0, size);
  }
  // A region that touches the end goes back to it, so that a later block of any size can use the room.
  const last = regionAt.length - 1;
  if (regionAt[last]! + regionSize[last]! === top) {
    top = regionAt[last]!;
    regionAt.pop();
    regionSize.pop();
  }
}
