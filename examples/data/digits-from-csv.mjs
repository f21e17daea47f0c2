// Makes digits.bin.gz from the comma-separated file of scikit-learn (Debian: dpkg -L python3-sklearn | grep digits.csv.gz):
//   node examples/data/digits-from-csv.mjs /usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";

const rows = gunzipSync(readFileSync(process.argv[2]))
  .toString("ascii")
  .trim()
  .split("\n")
  .map((line) => line.split(",").map(Number));
const bad = rows.findIndex(
  (row) => row.length !== 65 || row.slice(0, 64).some((v) => !(v >= 0 && v <= 16)) || !(row[64] >= 0 && row[64] <= 9),
);
if (bad >= 0) throw new Error(`row ${bad} is not 64 pixels in 0..16 and a label in 0..9: ${rows[bad]}`);

// All pixels first, then all labels, so that a reader gets both as views without copying.
const bytes = Uint8Array.from([...rows.flatMap((row) => row.slice(0, 64)), ...rows.map((row) => row[64])]);
writeFileSync(new URL("digits.bin.gz", import.meta.url), gzipSync(bytes, { level: 9 }));
console.log(`digits.bin.gz: ${rows.length} digits`);
