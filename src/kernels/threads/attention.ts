// Rules of attention: items of the batch (a head of an example) do not depend on each other.
import { advance, copyGenerator, savedPart } from "./random.js";
import { type ArgsOf, eachPart, lines, type RuleOf, type Team } from "./rule.js";

const savedBytes = 64;

/** The sizes of a call, from `batch` on. */
type Sizes = readonly [
  batch: number,
  L: number,
  S: number,
  E: number,
  V: number,
  kind: number,
  maskRepeat: number,
  maskCount: number,
  maskRows: number,
  ...rest: number[],
];

/** Calls `add` for each part: where it begins and ends, its mask, its generator and its scratch. */
function inParts(
  team: Team,
  parts: number,
  mask: number,
  saved: number,
  sizes: Sizes,
  add: (from: number, count: number, mask: number, saved: number, scratch: number) => void,
): number | undefined {
  const [batch, L, S, E, V, kind, maskRepeat, maskCount, maskRows] = sizes;
  // Item b has mask b / maskRepeat % maskCount: a part begins with a mask, or with the first one where they recur.
  const masked = kind !== 0 && maskCount > 1;
  const recurs = maskRepeat * maskCount < batch;
  const grain = masked ? (recurs ? maskRepeat * maskCount : maskRepeat) : 1;
  if (batch < 2 * grain) return undefined;
  const bytes = lines(team.kernels.attentionScratch(E, V));
  let room = team.room(parts * (bytes + savedBytes));
  const words = team.words();
  // Rows of scores begin with a block of random numbers of their own.
  const blocks = L * Math.ceil(S / 4);
  eachPart(parts, batch, grain, (from, to) => {
    const item = masked && !recurs ? from / maskRepeat : 0;
    const own = saved === 0 ? 0 : room + bytes;
    if (own !== 0) savedPart(words, own, saved, from * blocks);
    add(from, to - from, mask === 0 ? 0 : mask + 4 * item * (maskRows ? L : 1) * S, own, room);
    room += bytes + savedBytes;
  });
  team.run();
  return 0;
}

/** Nanoseconds of an item: its products, and an exponential a score. */
const itemWork = (L: number, S: number, E: number, V: number) => L * S * (1.5 + (E + V) * 0.05);

function cut(team: Team, args: ArgsOf<"attention">, parts: number): number | undefined {
  const [q, k, v, mask, y, lse, state, saved, , ...sizes] = args;
  const [batch, L, S, E, V] = sizes;
  const words = team.words();
  // The generator is drawn from here, so that all parts begin at its copy.
  if (state !== 0) copyGenerator(words, saved, state, 0);
  const done = inParts(team, parts, mask, saved, sizes, (from, count, partMask, partSaved, scratch) => {
    const [query, key, value] = [q + 4 * from * L * E, k + 4 * from * S * E, v + 4 * from * S * V];
    const out = [y + 4 * from * L * V, lse + 4 * from * L];
    const rest = sizes.slice(1);
    team.add("attention", [query, key, value, partMask, ...out, 0, partSaved, scratch, count, ...rest]);
  });
  if (done !== undefined && state !== 0) advance(team.words(), state, batch * L * Math.ceil(S / 4));
  return done;
}

function cutGrad(team: Team, args: ArgsOf<"attentionGrad">, parts: number): number | undefined {
  const [g, q, k, v, mask, y, lse, saved, gq, gk, gv, , ...sizes] = args;
  const [, L, S, E, V] = sizes;
  return inParts(team, parts, mask, saved, sizes, (from, count, partMask, partSaved, scratch) => {
    const [toQ, toK, toV] = [4 * from * L * E, 4 * from * S * E, 4 * from * S * V];
    const toY = 4 * from * L * V;
    const operands = [g + toY, q + toQ, k + toK, v + toV, partMask, y + toY, lse + 4 * from * L, partSaved];
    const results = [gq + toQ, gk + toK, gv + toV, scratch];
    team.add("attentionGrad", [...operands, ...results, count, ...sizes.slice(1)]);
  });
}

export const attention: RuleOf<"attention"> = {
  work: (_q, _k, _v, _mask, _y, _lse, _state, _saved, _scratch, batch, L, S, E, V) => batch * itemWork(L, S, E, V),
  cut,
};

export const attentionGrad: RuleOf<"attentionGrad"> = {
  work: (_g, _q, _k, _v, _mask, _y, _lse, _saved, _gq, _gk, _gv, _scratch, batch, L, S, E, V) =>
    batch * 2.5 * itemWork(L, S, E, V),
  cut: cutGrad,
};
