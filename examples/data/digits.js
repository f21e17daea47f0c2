// Reads digits.bin.gz, the handwritten digits described in README.md beside this file.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const pixelsPerDigit = 64;

/**
 * The 1,797 digits: `pixels` holds `count` rows of 64 (8 x 8, row by row, 0 = paper .. 16 = ink), `labels` the digit
 * 0..9 of each.
 */
export function loadDigits() {
  const bytes = new Uint8Array(gunzipSync(readFileSync(new URL("digits.bin.gz", import.meta.url))));
  const count = bytes.length / (pixelsPerDigit + 1);
  return { pixels: bytes.subarray(0, count * pixelsPerDigit), labels: bytes.subarray(count * pixelsPerDigit), count };
}
