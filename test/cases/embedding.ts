// Rows of the embeddings: indices of any shape, padding, bags by offsets and by rows.
import { type EmbeddingBagOptions, embedding, embeddingBag } from "../../src/index.js";
import { at, generate, reshape } from "../reference.js";
import type { Input, Ref, Row } from "./case.js";

const lookup = (name: string, input: Input, table: readonly number[]): Row => ({
  op: "embedding",
  name,
  inputs: [input, { shape: table }],
  run: (i, w) => embedding(i!, w!),
  reference: (i, w) =>
    generate([...i!.shape, table[1]!], (index) => at(w!, [at(i!, index.slice(0, -1)), index[index.length - 1]!])),
});

interface Bag {
  readonly indices: readonly number[];
  /** Where bags begin; without them the indices are rows of this length. */
  readonly offsets?: readonly number[];
  readonly length?: number;
  readonly options?: Omit<EmbeddingBagOptions, "offsets" | "perSampleWeights">;
  readonly weighted?: boolean;
}

/** Bag by bag: lists of positions, whose rows are summed, averaged or compared. */
function bagged(index: Ref, w: Ref, bags: readonly (readonly number[])[], { options }: Bag, factors?: Ref): Ref {
  const padding = options?.paddingIdx === undefined ? -1 : (options.paddingIdx + w.shape[0]!) % w.shape[0]!;
  return generate([bags.length, w.shape[1]!], ([b, e]) => {
    const counted = bags[b!]!.filter((j) => index.data[j] !== padding);
    const values = counted.map((j) => at(w, [index.data[j]!, e!]) * (factors?.data[j] ?? 1));
    if (values.length === 0) return 0;
    if (options?.mode === "max") return Math.max(...values);
    return values.reduce((s, v) => s + v, 0) / (options?.mode === "sum" ? 1 : values.length);
  });
}

const bag = (name: string, given: Bag): Row => {
  const { indices, offsets, length = 1, options = {}, weighted } = given;
  const shape = offsets ? [indices.length] : [indices.length / length, length];
  const count = offsets ? offsets.length - (options.includeLastOffset ? 1 : 0) : shape[0]!;
  const start = (b: number) => (offsets ? (offsets[b] ?? indices.length) : b * length);
  const end = (b: number) => (b + 1 < count ? start(b + 1) : indices.length);
  const bags = Array.from({ length: count }, (_, b) =>
    Array.from({ length: end(b) - start(b) }, (_, j) => start(b) + j),
  );
  return {
    op: "embeddingBag",
    name,
    inputs: [
      { shape, dtype: "i32", values: indices },
      { shape: [5, 3], distinct: true, low: -2, high: 2, margin: 0.1 },
      ...(offsets ? [{ shape: [offsets.length], dtype: "i32" as const, values: offsets }] : []),
      ...(weighted ? [{ shape }] : []),
    ],
    run: (i, w, ...rest) => {
      const perSampleWeights = weighted ? rest[rest.length - 1]! : null;
      return offsets
        ? embeddingBag(i!, w!, rest[0]!, { ...options, perSampleWeights })
        : embeddingBag(i!, w!, { ...options, perSampleWeights });
    },
    reference: (i, w, ...rest) =>
      bagged(reshape(i!, [indices.length]), w!, bags, given, weighted ? rest[rest.length - 1] : undefined),
  };
};

const words = [0, 2, 2, 4, 1, 0];
const offsets = [0, 2, 2, 5];
export const rows: readonly Row[] = [
  lookup("", { shape: [4], dtype: "i32", low: 0, high: 6 }, [6, 3]),
  lookup("two axes", { shape: [3, 4], dtype: "i32", low: 0, high: 5 }, [5, 7]),
  lookup("no axis", { shape: [], dtype: "i32", values: [1] }, [2, 4]),
  lookup("indices as f32", { shape: [3], dtype: "f32", values: [2, 0, 2], constant: true }, [3, 5]),
  lookup("no indices", { shape: [0, 2], dtype: "i32" }, [3, 4]),
  lookup("no features", { shape: [3], dtype: "i32", values: [0, 1, 0] }, [2, 0]),
  ...[0, -1].map(
    (paddingIdx): Row => ({
      op: "embedding",
      name: `padding ${paddingIdx}`,
      inputs: [{ shape: [5], dtype: "i32", values: [0, 3, 2, 0, 3] }, { shape: [4, 2] }],
      run: (i, w) => embedding(i!, w!, { paddingIdx }),
      reference: (i, w) => generate([5, 2], ([j, e]) => at(w!, [i!.data[j!]!, e!])),
      gradient: "none",
      reason: "of padding rows it is 0, unlike differences; test/ops/embedding.test.ts",
    }),
  ),
  ...(["sum", "mean", "max"] as const).flatMap((mode) => [
    bag(`${mode}, offsets`, { indices: words, offsets, options: { mode } }),
    bag(`${mode}, rows`, { indices: words, length: 3, options: { mode } }),
    bag(`${mode}, padding`, { indices: words, offsets, options: { mode, paddingIdx: 2 } }),
    bag(`${mode}, negative padding, rows`, { indices: [4, 4, 1, 4], length: 2, options: { mode, paddingIdx: -1 } }),
    bag(`${mode}, last offset`, { indices: words, offsets: [0, 3, 6], options: { mode, includeLastOffset: true } }),
    bag(`${mode}, no indices`, { indices: [], offsets: [0, 0], options: { mode } }),
  ]),
  bag("by default the mean", { indices: words, length: 2 }),
  bag("weights", { indices: words, offsets, options: { mode: "sum" }, weighted: true }),
  bag("weights, rows, padding", { indices: words, length: 2, options: { mode: "sum", paddingIdx: 0 }, weighted: true }),
];
