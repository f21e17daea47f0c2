// DataLoader: order, batches, seeds, and iterations as scopes.
import { describe, expect, test } from "vitest";
import { DataLoader, type Dataset, TensorDataset } from "../../src/data/index.js";
import { Generator, manualSeed, memory, randn, scope, type Tensor, tensor, zeros } from "../../src/index.js";

const counting = (length: number): Dataset<number[]> => ({ length, batch: (indices) => [...indices] });
const rows = (n: number) => new TensorDataset(tensor(ordered(n)));
const pass = (loader: Iterable<number[]>): number[] => [...loader].flat();
const ordered = (n: number) => Array.from({ length: n }, (_, i) => i);

describe("batches", () => {
  test.each([
    [10, 4, false, [4, 4, 2]],
    [10, 4, true, [4, 4]],
    [8, 4, true, [4, 4]],
    [3, 4, false, [3]],
    [3, 4, true, []],
    [0, 4, false, []],
    [3, 1, false, [1, 1, 1]],
  ])("%i samples by %i, dropLast %s", (n, batchSize, dropLast, sizes) => {
    for (const shuffle of [false, true]) {
      const loader = new DataLoader(counting(n), { batchSize, dropLast, shuffle });
      expect(loader.length).toBe(sizes.length);
      const batches = [...loader];
      expect(batches.map((b) => b.length)).toEqual(sizes);
      const seen = batches.flat();
      expect(new Set(seen).size).toBe(seen.length);
      if (!shuffle) expect(seen).toEqual(ordered(seen.length));
    }
  });

  test("one sample a batch by default, each with its axis", () => {
    expect([...new DataLoader(rows(2))].map(([x]) => x.shape)).toEqual([[1], [1]]);
  });

  test("rows of several tensors stay together when shuffled", () => {
    const x = randn([50, 3]);
    const loader = new DataLoader(new TensorDataset(x, x.sum(1)), { batchSize: 7, shuffle: true });
    for (const [a, b] of loader) expect(a.sum(1).toArray()).toEqual(b.toArray());
  });
});

describe("order", () => {
  const options = { batchSize: 3, shuffle: true };

  test("same seed, same orders; another order each pass; every sample each pass", () => {
    const passes = () => {
      manualSeed(7);
      const loader = new DataLoader(counting(40), options);
      return [pass(loader), pass(loader), pass(loader)];
    };
    const first = passes();
    expect(passes()).toEqual(first);
    expect(new Set(first.map(String)).size).toBe(3);
    for (const order of first) expect(order.toSorted((a, b) => a - b)).toEqual(ordered(40));
    manualSeed(8);
    expect(pass(new DataLoader(counting(40), options))).not.toEqual(first[0]);
  });

  test("two loaders are independent: advanced in turn they give what they give one after the other", () => {
    manualSeed(7);
    const [a, b] = [new DataLoader(counting(20), options), new DataLoader(counting(20), options)];
    const alone = [pass(a), pass(b)];
    expect(alone[0]).not.toEqual(alone[1]);
    manualSeed(7);
    const [c, d] = [new DataLoader(counting(20), options), new DataLoader(counting(20), options)];
    const [first, second]: [number[], number[]] = [[], []];
    const other = d[Symbol.iterator]();
    for (const batch of c) {
      first.push(...batch);
      second.push(...(other.next().value as number[]));
      randn([10]); // other draws change nothing either
    }
    expect([first, second]).toEqual(alone);
  });

  test("does not disturb the default generator", () => {
    manualSeed(3);
    const expected = randn([4]).toArray();
    manualSeed(3);
    pass(new DataLoader(counting(9), options));
    expect(randn([4]).toArray()).toEqual(expected);
  });

  test("a generator of one's own", () => {
    const draw = () => pass(new DataLoader(counting(40), { ...options, generator: new Generator(5) }));
    const first = draw();
    manualSeed(99);
    expect(draw()).toEqual(first);
  });

  test("a pass left early does not change the next", () => {
    const orders = (leave: boolean) => {
      manualSeed(2);
      const loader = new DataLoader(counting(12), options);
      for (const _ of loader) if (leave) break;
      return pass(loader);
    };
    expect(orders(true)).toEqual(orders(false));
  });
});

describe("iterations are scopes", () => {
  test("the previous batch and what was made of it are released when the loop goes on", () => {
    const loader = new DataLoader(rows(12), { batchSize: 4 });
    const seen: Tensor[] = [];
    for (const [x] of loader) {
      for (const former of seen) expect(former.released).toBe(true);
      expect(x.released).toBe(false);
      seen.push(x, x.add(1));
    }
    // After the loop the last batch can still be read.
    expect(seen.at(-2)!.toArray()).toEqual([8, 9, 10, 11]);
    expect(() => seen[0]!.sum()).toThrow(/released when the loader advanced/);
  });

  test("constant memory over passes, loaders and loops that are left", () => {
    const data = rows(64);
    const kept = new DataLoader(data, { batchSize: 8, shuffle: true });
    const step = () => {
      for (const [x] of kept) x.mul(2).sum();
      for (const [x] of new DataLoader(data, { batchSize: 8, shuffle: true })) x.mul(2).sum();
      for (const [x] of kept) if (x.numel > 0) break;
      expect(() => {
        for (const _ of kept) throw new Error("left");
      }).toThrow("left");
    };
    scope(step);
    const { bytes, tensors } = memory();
    for (let i = 0; i < 20; i++) scope(step);
    expect(memory()).toMatchObject({ bytes, tensors });
  });

  test("a dataset that throws ends the loop: nothing is held, later tensors are no part of it", () => {
    let broken = true;
    const data: Dataset<Tensor> = {
      length: 6,
      batch: (indices) => {
        const made = zeros([100]);
        if (broken && indices[0] === 4) throw new Error("disk");
        return made;
      },
    };
    const loader = new DataLoader(data, { batchSize: 2 });
    const run = () =>
      scope(() => {
        for (const x of loader) x.add(1);
      });
    const { bytes, tensors } = memory();
    for (let i = 0; i < 5; i++) expect(run).toThrow("disk");
    expect(memory()).toMatchObject({ bytes, tensors });
    expect(() => {
      for (const x of loader) x.add(1);
    }).toThrow("disk");
    const later = zeros([3]);
    expect(later.owner).toBeNull();
    later.dispose();
    broken = false;
    expect(run).not.toThrow();
  });

  test("an iterator that ended stays ended", () => {
    const iterator = new DataLoader(counting(2))[Symbol.iterator]();
    expect([...iterator]).toEqual([[0], [1]]);
    expect(iterator.next()).toEqual({ done: true, value: undefined });
    expect(iterator.return!()).toEqual({ done: true, value: undefined });
    const left = new DataLoader(counting(2))[Symbol.iterator]();
    left.return!();
    expect(left.next().done).toBe(true);
  });
});

test.each([
  [[counting(3), { batchSize: 0 }], /DataLoader: batchSize must be .*got 0/],
  [[counting(3), { batchSize: 2.5 }], /DataLoader: batchSize must be an integer: got 2.5/],
  [[counting(3), { batch_size: 2 }], /DataLoader: unknown option "batch_size".*Known options: batchSize/],
  [[counting(3), 32], /DataLoader: options must be an object: got 32/],
  [[[1, 2, 3]], /DataLoader: .*dataset.*got \[1,2,3\]/],
  [[undefined], /DataLoader: .*dataset.*got undefined/],
])("refuses %j", (args, message) => {
  expect(() => new (DataLoader as unknown as new (...a: unknown[]) => unknown)(...args)).toThrow(message);
});
