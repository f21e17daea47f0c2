// Rule of an optimizer's step over a table of records { param, grad, state0, state1, state2, step, n, scalar }: all elements
// of the group are divided, whatever parameter they belong to.
import type { Rule, Team } from "./rule.js";

const recordWords = 8;
/** A record of a part, and copies of the step count and the scalar. */
const partBytes = 4 * recordWords + 8;
/** Elements that stay together. */
const grain = 16;

/**
 * The kernel writes a record's step count (and what `optimize` has as a scalar): of the parts of one record, the last one
 * gets the real ones, and the others copies made before any part runs.
 */
export function optimizer(kernel: "adam" | "sgd" | "optimize", ns: number): Rule<number[]> {
  const cut = (team: Team, args: number[]): number | undefined => {
    const [table, count, ...parameters] = args as [number, number, ...number[]];
    let words = team.words();
    const record = (i: number) => (table >>> 2) + recordWords * i;
    let total = 0;
    for (let i = 0; i < count; i++) total += words[record(i) + 6]!;
    const parts = team.parts(total * ns);
    if (parts === 1) return undefined;
    let room = team.room(parts * count * partBytes);
    words = team.words();
    let before = 0; // elements of the records before `i`
    for (let part = 0, i = 0; part < parts; part++) {
      const end = Math.floor((total * (part + 1)) / parts);
      const start = room;
      let records = 0;
      let copies = room + 4 * recordWords * count;
      let from = part === 0 ? 0 : within(Math.floor((total * part) / parts) - before, words[record(i) + 6]!);
      while (i < count) {
        const n = words[record(i) + 6]!;
        const to = within(end - before, n);
        if (to > from || n === 0) {
          const at = (start >>> 2) + recordWords * records++;
          words.copyWithin(at, record(i), record(i) + recordWords);
          for (let field = 0; field < 5; field++) if (words[at + field] !== 0) words[at + field]! += 4 * from;
          words[at + 6] = to - from;
          if (to < n) {
            for (const field of kernel === "optimize" ? [5, 7] : [5]) {
              if (words[at + field] !== 0) {
                words[copies >>> 2] = words[words[at + field]! >>> 2]!;
                words[at + field] = copies;
              }
              copies += 4;
            }
          }
        }
        if (to < n) break;
        before += n;
        from = 0;
        i++;
      }
      if (records > 0) team.add(kernel, [start, records, ...parameters]);
      room += count * partBytes;
    }
    team.run();
    return 0;
  };
  // How much it is stands in the table.
  return { work: () => Number.POSITIVE_INFINITY, cut };
}

/** A place among n elements, on a multiple of the grain unless it is the end. */
const within = (at: number, n: number): number => (at >= n ? n : Math.max(0, Math.floor(at / grain) * grain));
