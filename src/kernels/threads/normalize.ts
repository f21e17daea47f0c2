// Rules of normalization: by channels where a channel's elements lie apart, by rows where a row is a group.
import { type ArgsOf, eachPart, type RuleOf, type Team } from "./rule.js";

const shift = (pointer: number, bytes: number) => (pointer === 0 ? 0 : pointer + bytes);

export const moments: RuleOf<"moments"> = {
  work: (_x, _mean, _variance, N, C, L) => N * C * L * 0.2,
  cut(team, [x, mean, variance, N, C, L, centered], parts) {
    // Neighbouring channels are computed eight at a time when they share a cache line.
    const grain = L === 1 && N > 1 ? 8 : 1;
    if (C < 2 * grain) return undefined;
    eachPart(parts, C, grain, (from, to) => {
      const at = 4 * from;
      team.add("momentsPart", [x + at * L, mean + at, variance + at, N, to - from, L, centered, C]);
    });
    team.run();
    return 0;
  },
};

function cutGrad(team: Team, args: ArgsOf<"normalizeGrad">, parts: number): number | undefined {
  const [g, x, mean, rstd, w, gx, gw, gb, N, C, D, L, byBatch, through] = args;
  if (byBatch) {
    if (L === 1) return undefined;
    eachPart(parts, C, 1, (from, to) => {
      const at = 4 * from;
      const statistics = [mean + at, rstd + at, shift(w, at)];
      const count = [N, to - from, L, through === 0 ? 1 : 0, C];
      team.add("channelsGradPart", [g + at * L, x + at * L, ...statistics, gx + at * L, gw + at, gb + at, ...count]);
    });
  } else {
    if (L !== 1 || D !== C) return undefined;
    // Two products of the same operands, which do not read each other's: by columns and by rows.
    eachPart(parts, C, 8, (from, to) => {
      const at = 4 * from;
      team.add("parametersGradPart", [g + at, x + at, mean, rstd, gw + at, gb + at, N, to - from, C]);
    });
    eachPart(parts, N, 1, (from, to) => {
      const at = 4 * from;
      const row = at * C;
      team.add("rowsGradPart", [g + row, x + row, mean + at, rstd + at, w, gx + row, to - from, C, through]);
    });
  }
  team.run();
  return 0;
}

export const normalizeGrad: RuleOf<"normalizeGrad"> = {
  work: (_g, _x, _mean, _rstd, _w, _gx, _gw, _gb, N, C, _D, L) => N * C * L * 0.4,
  cut: cutGrad,
};
