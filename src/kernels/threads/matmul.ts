// The rule of the matrix product.
import { type ArgsOf, eachPart, lines, type RuleOf, type Team } from "./rule.js";

/** Nanoseconds a multiplication and addition. */
const ns = 0.04;

type Args = ArgsOf<"matmul">;

/** Calls `add` with ranges of `count` and memory of `bytes(size of the range)` bytes each. */
function inParts(
  team: Team,
  parts: number,
  count: number,
  grain: number,
  bytes: (size: number) => number,
  add: (from: number, size: number, scratch: number) => void,
): number {
  let total = 0;
  eachPart(parts, count, grain, (from, to) => {
    total += lines(bytes(to - from));
  });
  let room = team.room(total);
  eachPart(parts, count, grain, (from, to) => {
    add(from, to - from, room);
    room += lines(bytes(to - from));
  });
  team.run();
  return 0;
}

/** Items of a batch. */
function cutBatch(team: Team, parts: number, args: Args): number {
  const [a, b, y, bias, , batch, m, n, k, aStride, bStride, at, bt, accumulate] = args;
  const scratch = team.kernels.matmulScratch(m, n, k, at, bt);
  return inParts(
    team,
    parts,
    batch,
    1,
    () => scratch,
    (from, size, room) => {
      const [pa, pb, py] = [a + 4 * from * aStride, b + 4 * from * bStride, y + 4 * from * m * n];
      team.add("matmul", [pa, pb, py, bias, room, size, m, n, k, aStride, bStride, at, bt, accumulate]);
    },
  );
}

/**
 * One product is cut along the longer side of y: each part packs the whole operand of the other side. Tiles have 4 rows (6
 * in the fast build) and 8 columns; a sum over k is never cut.
 */
function cut(team: Team, args: Args, parts: number): number | undefined {
  const [a, b, y, bias, , items, rows, n, k, aStride, bStride, at, bt, accumulate] = args;
  // As the kernel does it: many products with one b are one product with more rows.
  const merged = rows > 1 && n > 1 && bStride === 0 && at === 0 && aStride === rows * k;
  if (items > 1 && !merged) return cutBatch(team, parts, args);
  const m = rows * items;
  const wanted = (height: number, width: number) => team.kernels.matmulScratch(height, width, k, at, bt);
  if (n === 1 || m < 4) {
    // A single column by rows of a, or a single row by rows of b, where these are contiguous.
    const column = n === 1;
    if (column ? at !== 0 || m < 16 : m !== 1 || bt === 0 || n < 16) return undefined;
    return inParts(
      team,
      parts,
      column ? m : n,
      8,
      () => 0,
      (from, size) => {
        const [pa, pb] = [column ? a + 4 * from * k : a, column ? b : b + 4 * from * k];
        const pBias = bias === 0 || column ? bias : bias + 4 * from;
        const [height, width] = column ? [size, 1] : [1, size];
        team.add("matmul", [pa, pb, y + 4 * from, pBias, 0, 1, height, width, k, 0, 0, at, bt, accumulate]);
      },
    );
  }
  const [aLine, bLine] = [at ? m : k, bt ? k : n];
  if (m >= n) {
    if (m < 8) return undefined;
    return inParts(
      team,
      parts,
      m,
      4,
      (size) => wanted(size, n),
      (from, size, room) => {
        const pa = a + 4 * from * (at ? 1 : k);
        team.add("matmulPart", [pa, b, y + 4 * from * n, bias, room, size, n, k, aLine, bLine, n, at, bt, accumulate]);
      },
    );
  }
  if (n < 16) return undefined;
  return inParts(
    team,
    parts,
    n,
    8,
    (size) => wanted(m, size),
    (from, size, room) => {
      const pb = b + 4 * from * (bt ? k : 1);
      const pBias = bias === 0 ? 0 : bias + 4 * from;
      team.add("matmulPart", [a, pb, y + 4 * from, pBias, room, m, size, k, aLine, bLine, n, at, bt, accumulate]);
    },
  );
}

export const matmul: RuleOf<"matmul"> = {
  work: (_a, _b, _y, _bias, _scratch, batch, m, n, k) => batch * m * n * k * ns,
  cut,
};
