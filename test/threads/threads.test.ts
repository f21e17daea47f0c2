// init({ threads }): the same bits for any number, tensors that were there before, workers that die, and engines without.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import {
  backend,
  exp,
  gelu,
  indexSelect,
  init,
  manualSeed,
  matmul,
  memory,
  randn,
  relu,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";
import { kernels } from "../../src/kernels/index.js";
import { threadRefusal, tuning, workersOf } from "../../src/kernels/threads/index.js";
import { SharedTeam } from "../../src/kernels/threads/team.js";
import { root } from "../source.js";
import { names, type Training, train } from "./train.js";

const { least, patience } = tuning;
afterEach(async () => {
  Object.assign(tuning, { least, patience });
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await init({ threads: 1 });
});
afterAll(() => init({ threads: Number(process.env.GRADINE_THREADS ?? 1) }));

const bits = (x: Tensor) => Buffer.from(x.toTypedArray().slice().buffer).toString("hex");

describe("the weights of a training are the same bits with", () => {
  const alone = Object.fromEntries(names.map((name) => [name, train(name)])) as Record<Training, string>;
  for (const count of [2, 3, 4]) {
    it.each(names)(`${count} threads: %s`, async (name) => {
      await init({ threads: count });
      expect(backend()).toMatchObject({ threads: count });
      expect(train(name) === alone[name]).toBe(true);
      tuning.least = 1e-6; // whatever can be cut is
      expect(train(name) === alone[name]).toBe(true);
    });
  }
});

describe("init({ threads })", () => {
  it("takes over tensors and graphs that are there, and goes back to one thread", async () => {
    manualSeed(3);
    const x = randn([200, 200], { requiresGrad: true });
    const y = gelu(matmul(x, x)).sum();
    const before = bits(x);
    gelu(matmul(x, x)).sum().backward();
    const expected = bits(x.grad!);
    x.grad = null;
    await init({ threads: 2 });
    expect(backend()).toMatchObject({ threads: 2 });
    expect(bits(x)).toBe(before);
    y.backward(); // recorded before
    expect(bits(x.grad!)).toBe(expected);
    x.grad = null;
    const z = gelu(matmul(x, x)).sum();
    await init({ threads: 1 });
    expect(backend().threads).toBe(1);
    expect(workersOf()).toHaveLength(0);
    z.backward();
    expect(bits(x.grad!)).toBe(expected);
  });

  it("cuts only what is worth it", async () => {
    await init({ threads: 2 });
    const jobs = vi.spyOn(SharedTeam.prototype, "run");
    const [small, large] = [randn([64]), randn([400, 400])];
    jobs.mockClear();
    relu(small);
    matmul(small.reshape([8, 8]), small.reshape([8, 8]));
    expect(jobs).not.toHaveBeenCalled();
    matmul(large, large);
    expect(jobs).toHaveBeenCalledTimes(1);
  });

  it("lets the heap grow while threads work on it", async () => {
    await init({ threads: 2 });
    const x = exp(zeros([1 << 18]));
    const heapBytes = memory().heapBytes;
    const large = zeros([heapBytes / 4 + 1024]);
    expect(memory().heapBytes).toBeGreaterThan(heapBytes);
    expect(
      exp(large)
        .toTypedArray()
        .every((v) => v === 1),
    ).toBe(true);
    expect(x.toTypedArray().every((v) => v === 1)).toBe(true);
    large.dispose();
  });

  it("gives copies that are not shared", async () => {
    await init({ threads: 2 });
    const x = randn([8]);
    expect(x.toTypedArray().buffer).toBeInstanceOf(ArrayBuffer);
    expect(x.view().buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(structuredClone(x.toTypedArray())).toEqual(x.toTypedArray());
  });

  it("changes the build and keeps the threads", async (context) => {
    await init({ threads: 2, fast: true });
    if (backend().build !== "fast") context.skip();
    expect(backend()).toEqual({ build: "fast", threads: 2 });
    const x = randn([300, 300]);
    const fused = bits(matmul(x, x));
    await init({ threads: 1 });
    expect(backend()).toEqual({ build: "fast", threads: 1 });
    expect(bits(matmul(x, x))).toBe(fused);
    await init({ fast: false });
    expect(backend()).toEqual({ build: "strict", threads: 1 });
    expect(bits(matmul(x, x))).not.toBe(fused);
    await init({ threads: 2 });
    expect(backend()).toEqual({ build: "strict", threads: 2 });
  });

  it("refuses counts that are none, and a module beside", () => {
    expect(() => init({ threads: 0 })).toThrow(/threads must be from 1 to 64: got 0/);
    expect(() => init({ threads: 1.5 })).toThrow(/threads/);
    expect(() => init({ threads: false } as never)).toThrow(/threads/);
    expect(() => init({ threads: 2, module: {} })).toThrow(/threads and module exclude each other/);
  });

  it("true means all processors", async () => {
    await init({ threads: true });
    expect(backend().threads).toBe(Math.min(64, availableParallelism()));
  });

  it("answers a bad index as one thread does", async () => {
    const table = randn([50, 300]);
    const pick = (bad: number) => () =>
      indexSelect(table, 0, tensor(Int32Array.from({ length: 200 }, (_, i) => (i === bad ? 50 : i % 50))));
    const messages = () => [3, 150].map((bad) => expectError(pick(bad)));
    const alone = messages();
    expect(alone[1]).toMatch(/50/);
    await init({ threads: 2 });
    tuning.least = 1e-6;
    expect(messages()).toEqual(alone);
  });
});

function expectError(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it did not throw");
}

describe("a worker that dies", () => {
  it("while it waits costs nothing but its help, and is noticed", async () => {
    await init({ threads: 3 });
    const x = randn([300, 300]);
    const expected = bits(matmul(x, x));
    for (const worker of workersOf()) worker.stop();
    for (let i = 0; i < 50; i++) expect(bits(matmul(x, x))).toBe(expected);
    await vi.waitFor(() => expect(backend().threads).toBe(1));
    expect(backend().reason).toMatch(/a worker has ended/);
    expect(bits(matmul(x, x))).toBe(expected);
    await init({ threads: 2 });
    expect(backend()).toMatchObject({ threads: 2 });
    expect(backend().reason).toBeUndefined();
    expect(bits(matmul(x, x))).toBe(expected);
  });

  it("within its part is an error, not a hang, and one thread goes on", async () => {
    await init({ threads: 2 });
    const x = randn([300, 300]);
    const expected = bits(matmul(x, x));
    tuning.patience = 50;
    // A worker that claimed a part and was killed: its end is never seen.
    vi.spyOn(SharedTeam.prototype, "run").mockImplementationOnce(function (this: SharedTeam) {
      const unending = { ...this.kernels, publish: () => 0, join: () => 0 };
      SharedTeam.prototype.run.call(Object.assign(this, { kernels: unending }));
    });
    expect(() => matmul(x, x)).toThrow(/^threads: a worker has not finished its part of a kernel for \d+ ms/);
    expect(backend().threads).toBe(1);
    expect(backend().reason).toMatch(/has not finished/);
    expect(bits(matmul(x, x))).toBe(expected);
    await init({ threads: 2 });
    expect(bits(matmul(x, x))).toBe(expected);
  });
});

describe("where threads cannot be had, one is used and the reason told", () => {
  it.each([
    ["no shared memory", { SharedArrayBuffer: undefined }, /no SharedArrayBuffer/],
    [
      "a page without the headers",
      { SharedArrayBuffer: undefined, crossOriginIsolated: false },
      /not cross-origin isolated/,
    ],
    ["no workers", { process: undefined, Worker: undefined }, /no workers/],
    [
      "an engine that shares memory but does not post it",
      { process: undefined, Worker: class {}, crossOriginIsolated: false },
      /not cross-origin isolated/,
    ],
  ])("%s", async (_, globals, reason) => {
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
    expect(threadRefusal()).toMatch(reason);
    await init({ threads: 2 });
    expect(backend().threads).toBe(1);
    expect(backend().reason).toMatch(reason);
    vi.unstubAllGlobals();
    await init({ threads: 2 });
    expect(backend()).toMatchObject({ threads: 2 });
  });
});

it("a process ends by itself, though workers wait", () => {
  const program = `
    import { backend, init, matmul, randn } from "${root}dist/index.js";
    await init({ threads: 2 });
    const x = randn([256, 256]);
    matmul(x, x);
    console.log(JSON.stringify(backend()));
  `;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
    timeout: 20_000,
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ build: "strict", threads: 2 });
});

it("kernels are the module's own again", () => {
  expect(String(kernels.relu)).toContain("native code");
});
