// init: the builds of the kernels, how they take over a heap in use, and what it refuses.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { backend, gelu, init, manualSeed, memory, randn, type Tensor } from "../../src/index.js";
import { decode } from "../../src/kernels/decode.js";
import type { Kernels } from "../../src/kernels/generated/kernels.js";
import { instantiate } from "../../src/kernels/instantiate.js";
import { build, threads } from "../build.js";
import { root } from "../source.js";

const path = (name: string) => `${root}src/kernels/generated/${name}.wasm`;
const bytes = (name: string) => new Uint8Array(readFileSync(path(name)));

/** Values, a product and a gradient; enough kernels to notice one that runs on wrong constants. */
const compute = (x: Tensor) => {
  x.grad = null;
  const y = x.matmul(x).tanh().softmax(-1).log().add(x.exp().sin());
  y.sum().backward();
  return [...y.toTypedArray(), ...x.grad!.toTypedArray()];
};
const close = (a: number[], b: number[]) => Math.max(...a.map((v, i) => Math.abs(v - b[i]!)));

// With threads the heap is shared, and takes no module of one thread.
describe.skipIf(threads > 1)("init", () => {
  beforeEach(async () => init({ fast: false }));
  afterEach(async () => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    await init({ fast: build === "fast" });
  });

  it("changes the build under tensors that are there, and back", async () => {
    manualSeed(3);
    const x = randn([40, 40], { requiresGrad: true });
    const recorded = gelu(x.matmul(x));
    const values = x.toArray();
    const bits = compute(x);
    expect(backend()).toEqual({ build: "strict", threads: 1 });
    await init({ fast: true });
    expect(backend()).toEqual({ build: "fast", threads: 1 });
    expect(x.toArray()).toEqual(values);
    const fused = compute(x);
    expect(fused).not.toEqual(bits);
    expect(close(fused, bits)).toBeLessThan(1e-3);
    x.grad = null;
    recorded.sum().backward(); // recorded on the other build
    expect(x.grad).not.toBeNull();
    await init({ fast: false });
    expect(backend().build).toBe("strict");
    expect(compute(x)).toEqual(bits);
  });

  it("takes a compiled module at once, of either build", async () => {
    init({ module: new WebAssembly.Module(bytes("fast")) });
    expect(backend().build).toBe("fast");
    init({ module: new WebAssembly.Module(bytes("strict")) });
    expect(backend().build).toBe("strict");
  });

  it("takes an address", async () => {
    await init({ fast: `file://${path("fast")}` });
    expect(backend().build).toBe("fast");
    await init({ fast: false });
    const fetched = vi.fn(async () => new Response(bytes("fast")));
    vi.stubGlobal("fetch", fetched);
    await init({ fast: new URL("https://example.com/kernels/fast.wasm") });
    expect(fetched).toHaveBeenCalledWith("https://example.com/kernels/fast.wasm");
    expect(backend().build).toBe("fast");
  });

  it("stays strict where the engine has no relaxed SIMD, and says so", async () => {
    vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
    await init({ fast: true });
    expect(backend()).toEqual({ build: "strict", threads: 1, reason: "this engine has no relaxed SIMD" });
    vi.restoreAllMocks();
    await init({ fast: true });
    expect(backend()).toEqual({ build: "fast", threads: 1 });
  });

  it("rejects when the file cannot be had, and nothing changes", async () => {
    await expect(init({ fast: "file:///nowhere/fast.wasm" })).rejects.toThrow(
      /^init: the fast kernels cannot be loaded from "file:\/\/\/nowhere\/fast.wasm": .*ENOENT.*Pass where/,
    );
    vi.stubGlobal("fetch", async () => new Response("not found", { status: 404 }));
    await expect(init({ fast: "https://example.com/fast.wasm" })).rejects.toThrow(/status 404/);
    vi.stubGlobal("fetch", async () => new Response("<!doctype html>"));
    await expect(init({ fast: "https://example.com/fast.wasm" })).rejects.toThrow(/CompileError/);
    expect(backend().build).toBe("strict");
  });

  it("refuses options that are not valid before anything changes", () => {
    const maxBytes = memory().heapBytes + (1 << 24);
    const fast = new WebAssembly.Module(bytes("fast"));
    expect(() => init({ modul: {} } as never)).toThrow(
      /unknown option "modul". Known options: fast, threads, module, maxBytes/,
    );
    expect(() => init({ fast: 1 } as never)).toThrow(/fast must be true, false or an address: got 1/);
    expect(() => init({ fast: true, module: fast })).toThrow(/fast and module exclude each other/);
    randn([1 << 14]);
    expect(() => init({ module: fast, maxBytes: 1 })).toThrow(/below the \d+ bytes already in use/);
    expect(() => init({ module: {}, maxBytes })).toThrow(/module cannot be used/);
    const empty = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
    expect(() => init({ module: empty, maxBytes })).toThrow(/module cannot be used/);
    expect(backend().build).toBe("strict");
  });

  it("refuses a module without kernels as the first thing, and starts all the same", async () => {
    vi.resetModules();
    const fresh = await import("../../src/index.js");
    const empty = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
    expect(() => fresh.init({ module: empty })).toThrow(/it has no kernels/);
    expect(fresh.ones([3]).sum().item()).toBe(3);
  });

  it("refuses a module of another version, whose constants are others", () => {
    const other = bytes("strict");
    const constant = new Uint8Array(new Float32Array([1.44269504]).buffer); // log2(e), for exp
    const at = Buffer.from(other).indexOf(constant);
    expect(at).toBeGreaterThan(0);
    other[at]! ^= 1;
    const kept = randn([8]).exp().add(0).toArray();
    expect(kept).toHaveLength(8);
    expect(() => init({ module: new WebAssembly.Module(other) })).toThrow(/constants are not those of this version/);
  });
});

describe("an engine that does not compile", () => {
  it("is told apart, with the way out", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    expect(() => instantiate(new Uint8Array([0, 97, 115]), memory)).toThrow(/^init: .*init\(\{ module \}\)/s);
  });
});

describe("the builds", () => {
  it("strict holds no relaxed instruction, fast does", () => {
    const text = (name: string) =>
      execFileSync(`${root}node_modules/.bin/wasm-dis`, [path(name)], { encoding: "utf8", maxBuffer: 1 << 28 });
    const count = (name: string) => text(name).split("relaxed").length - 1;
    expect(count("strict")).toBe(0);
    expect(count("fast")).toBeGreaterThan(50);
  });

  it("have the same constants at the same place, so that one can take over from the other", () => {
    const constants = ["strict", "fast"].map((name) => {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
      const { heapBase } = instantiate<Kernels>(bytes(name), memory);
      return Buffer.from(memory.buffer, 0, heapBase()).toString("hex");
    });
    expect(constants[1]).toBe(constants[0]);
    expect(decode(constants[0]!).length).toBeGreaterThan(1024);
  });
});
