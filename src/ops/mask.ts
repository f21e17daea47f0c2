// Masking by a bool tensor that broadcasts to x: bits are kept or cleared, so that no NaN or Infinity leaks from where
// the mask says no, as it would by a multiplication with 0. Linear in x, and their own gradients.
import { record } from "../tape/index.js";
import type { Tensor } from "../tensor/index.js";
import { binary } from "./broadcast.js";
import { code } from "./codes.js";

/** x where the mask is true, else 0. */
export function keep(x: Tensor, mask: Tensor): Tensor {
  return record("where", binary("where", code.keep, x, mask, null, x.dtype), [[x, (gy) => keep(gy, mask)]], [mask]);
}

/** x where the mask is false, else 0. */
export function drop(x: Tensor, mask: Tensor): Tensor {
  return record("where", binary("where", code.drop, x, mask, null, x.dtype), [[x, (gy) => drop(gy, mask)]], [mask]);
}
