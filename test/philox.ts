// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011) in plain JavaScript: the words that the library draws, for
// references of random ops.
const mask32 = 0xffffffffn;

/** One block of four words. */
function block(counter: readonly bigint[], key: readonly bigint[]): number[] {
  let [c0, c1, c2, c3] = counter as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const a = c0 * 0xd2511f53n;
    const b = c2 * 0xcd9e8d57n;
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & mask32, (a >> 32n) ^ c3 ^ k1, a & mask32];
    k0 = (k0 + 0x9e3779b9n) & mask32;
    k1 = (k1 + 0xbb67ae85n) & mask32;
  }
  return [c0, c1, c2, c3].map(Number);
}

const drawn = new Map<number, number[]>();

/** The first n words of a new Generator(seed); kept, as references are computed many times. */
export function words(seed: number, n: number): number[] {
  const key = [BigInt(seed) & mask32, BigInt(seed) >> 32n];
  const list = drawn.get(seed) ?? [];
  drawn.set(seed, list);
  for (let i = BigInt(list.length / 4); list.length < n; i++) list.push(...block([i & mask32, i >> 32n, 0n, 0n], key));
  return list.slice(0, n);
}

/** Whether each of n elements stays, when those whose 24 upper bits are below p·2^24 are dropped. */
export const kept = (seed: number, n: number, p: number): boolean[] =>
  words(seed, n).map((word) => word >>> 8 >= Math.ceil(Math.fround(p) * 16777216));
