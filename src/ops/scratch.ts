// Working memory of kernels: packed operands, tables. Its contents mean nothing after the call.
import type { Ptr } from "../kernels/index.js";
import { nullPtr, Storage } from "../memory/index.js";

let scratch: Storage | null = null;

/** Room for `bytes`, kept between calls. */
export function scratchFor(bytes: number): Ptr {
  if (bytes === 0) return nullPtr;
  if (scratch === null || scratch.bytes < bytes) {
    const larger = Storage.take(bytes, "scratch", [bytes >> 2]);
    scratch?.drop();
    scratch = larger;
  }
  return scratch.ptr;
}
