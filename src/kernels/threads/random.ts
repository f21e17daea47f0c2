// Rules of what draws random numbers. Word i of a call belongs to block i / 4 of the generator's counter, so that a part
// draws its own words from a copy of the generator whose counter stands where the part begins.
import { type ArgsOf, eachPart, type Rule, type RuleOf, type Team } from "./rule.js";

/** Bytes of a generator; of what dropout keeps: a generator, and as much again for its use. */
const generatorBytes = 32;
const savedBytes = 64;
/** Elements that stay together: the kernels draw that many at a time. */
const chunk = 2048;

/** Moves a generator's counter (u64 in the words 2 and 3) on by `blocks`. */
export function advance(words: Uint32Array, generator: number, blocks: number): void {
  const at = (generator >>> 2) + 2;
  const low = words[at]! + blocks;
  words[at] = low;
  words[at + 1]! += Math.floor(low / 4294967296);
}

/** Copies a generator, moved on by `blocks`. */
export function copyGenerator(words: Uint32Array, to: number, from: number, blocks: number): void {
  words.copyWithin(to >>> 2, from >>> 2, (from + generatorBytes) >>> 2);
  advance(words, to, blocks);
}

/** What a part of a call needs for `saved`: the generator as it stands `blocks` on, twice. */
export function savedPart(words: Uint32Array, to: number, saved: number, blocks: number): void {
  copyGenerator(words, to, saved, blocks);
  copyGenerator(words, to + generatorBytes, saved, blocks);
}

type Drawing = [state: number, y: number, n: number, ...parameters: number[]];

/** state, y, n, and two parameters. The last part draws from the generator itself, which then stands as it should. */
export function draw(kernel: "uniform" | "normal" | "bernoulli" | "randint"): Rule<Drawing> {
  const ns = kernel === "normal" ? 4 : 2;
  const cut = (team: Team, args: Drawing, parts: number): number | undefined => {
    const [state, y, n] = args;
    if (n < 2 * chunk) return undefined;
    let copy = team.room(parts * generatorBytes);
    const words = team.words();
    eachPart(parts, n, chunk, (from, to) => {
      const last = to === n;
      if (last) advance(words, state, from / 4);
      else copyGenerator(words, copy, state, from / 4);
      team.add(kernel, [last ? state : copy, y + 4 * from, to - from, ...args.slice(3)]);
      copy += generatorBytes;
    });
    team.run();
    return 0;
  };
  return { work: (_state, _y, n) => n * ns, cut };
}

function cutDropout(
  team: Team,
  [state, saved, x, y, n, ...parameters]: ArgsOf<"dropout">,
  parts: number,
): number | undefined {
  if (n < 2 * chunk) return undefined;
  let copy = team.room(parts * savedBytes);
  const words = team.words();
  if (state !== 0) {
    copyGenerator(words, saved, state, 0);
    advance(words, state, Math.ceil(n / 4));
  }
  eachPart(parts, n, chunk, (from, to) => {
    savedPart(words, copy, saved, from / 4);
    team.add("dropout", [0, copy, x + 4 * from, y + 4 * from, to - from, ...parameters]);
    copy += savedBytes;
  });
  team.run();
  return 0;
}

export const dropout: RuleOf<"dropout"> = { work: (_state, _saved, _x, _y, n) => n * 2, cut: cutDropout };
