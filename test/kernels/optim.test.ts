// Optimizer steps against PyTorch 1.13 (figures below) and a float64 transcription of its formulas.
import { beforeEach, describe, expect, test } from "vitest";
import type { Ptr } from "../../src/kernels/ptr.js";
import { block, check, floats, ints, kernels, random, readFloats, readInts, reset } from "./harness.js";

beforeEach(reset);

interface Options {
  kind: "sgd" | "adam" | "adamw";
  lr: number;
  momentum?: number;
  dampening?: number;
  betas?: [number, number];
  eps?: number;
  weightDecay?: number;
  nesterov?: boolean;
  amsgrad?: boolean;
  maximize?: boolean;
}

/** torch.optim's single-tensor formulas. */
class Reference {
  state = { m: [] as number[], v: [] as number[], top: [] as number[] };
  step = 0;
  readonly p: number[];
  readonly o: Options;
  constructor(p: number[], o: Options) {
    this.p = p;
    this.o = o;
    this.state = { m: p.map(() => 0), v: p.map(() => 0), top: p.map(() => 0) };
  }
  update(grad: ArrayLike<number>) {
    const { kind, lr, momentum = 0, dampening = 0, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = this.o;
    const { m, v, top } = this.state;
    this.step++;
    for (let i = 0; i < this.p.length; i++) {
      let p = this.p[i] as number;
      let g = (grad[i] as number) * (this.o.maximize ? -1 : 1);
      if (kind === "adamw") p *= 1 - lr * weightDecay;
      else if (weightDecay !== 0) g += weightDecay * p;
      if (kind === "sgd") {
        if (momentum !== 0) {
          m[i] = this.step === 1 ? g : momentum * (m[i] as number) + (1 - dampening) * g;
          g = this.o.nesterov ? g + momentum * (m[i] as number) : (m[i] as number);
        }
        p -= lr * g;
      } else {
        m[i] = betas[0] * (m[i] as number) + (1 - betas[0]) * g;
        v[i] = betas[1] * (v[i] as number) + (1 - betas[1]) * g * g;
        top[i] = Math.max(top[i] as number, v[i] as number);
        const root = Math.sqrt((this.o.amsgrad ? top : v)[i] as number) / Math.sqrt(1 - betas[1] ** this.step);
        p -= ((lr / (1 - betas[0] ** this.step)) * (m[i] as number)) / (root + eps);
      }
      this.p[i] = p;
    }
  }
}

/** A group of parameters in the kernels' memory. */
class Group {
  readonly params: { p: Ptr; g: Ptr; m: Ptr; v: Ptr; top: Ptr; step: Ptr; n: number }[];
  readonly table: Ptr;
  readonly o: Options;
  constructor(values: ArrayLike<number>[], o: Options, firstState = 0) {
    this.o = o;
    this.params = values.map((x) => {
      const state = () => floats(Array(x.length).fill(firstState));
      return {
        p: floats(x),
        g: block(x.length * 4),
        m: state(),
        v: state(),
        top: state(),
        step: ints([0]),
        n: x.length,
      };
    });
    this.table = ints(
      this.params.flatMap(({ p, g, m, v, top, step, n }) =>
        [p, g, m, v, o.amsgrad ? top : 0, step, n, 0].map((word) => Number(word)),
      ),
    );
  }
  update(grads: ArrayLike<number>[]) {
    for (const [i, { g, n }] of this.params.entries()) {
      kernels.copyStrided(floats(grads[i] as ArrayLike<number>), g, 1, 1, 1, n, 0, 0, 0, 1, 0, 0, 0, 1);
    }
    const { kind, lr, momentum = 0, dampening = 0, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = this.o;
    const flag = (b?: boolean) => (b ? 1 : 0);
    const count = this.params.length;
    if (kind === "sgd") {
      kernels.sgd(
        this.table,
        count,
        lr,
        momentum,
        dampening,
        weightDecay,
        flag(this.o.nesterov),
        flag(this.o.maximize),
      );
    } else {
      const [a, b] = betas;
      const decoupled = flag(kind === "adamw");
      kernels.adam(
        this.table,
        count,
        lr,
        a,
        b,
        eps,
        weightDecay,
        decoupled,
        flag(this.o.amsgrad),
        flag(this.o.maximize),
      );
    }
    check();
  }
  values(i = 0, what: "p" | "m" | "v" | "top" = "p") {
    const record = this.params[i] as (typeof this.params)[number];
    return readFloats(record[what], record.n);
  }
}

// torch.optim 1.13 in float64: p = [0.5, -0.25, 1, -1.5, 0.125], 12 steps with grad[i] = ((7 t + 3 i) mod 11 - 5) / 8.
const torch: [Options, number[]][] = [
  [{ kind: "sgd", lr: 0.1 }, [0.5625, -0.225, 0.9875, -1.55, 0.175]],
  [
    { kind: "sgd", lr: 0.1, weightDecay: 0.05, maximize: true },
    [0.4089652416, -0.26174335, 0.9548068186, -1.3630947876, 0.0697043783],
  ],
  [{ kind: "sgd", lr: 0.1, momentum: 0.9 }, [0.6036449481, -0.3653642849, 1.0961302961, -1.6079104822, 0.3782085472]],
  [
    { kind: "sgd", lr: 0.1, momentum: 0.9, dampening: 0.3, weightDecay: 0.05 },
    [0.5870358303, -0.2212922169, 0.846272397, -1.3718370562, 0.3576946068],
  ],
  [
    { kind: "sgd", lr: 0.1, momentum: 0.8, nesterov: true, weightDecay: 0.05 },
    [0.5013656392, -0.1882093304, 0.8283782549, -1.2879930079, 0.238832666],
  ],
  [
    { kind: "sgd", lr: 0.1, momentum: 0.8, nesterov: true, maximize: true, weightDecay: 0.05 },
    [0.289062442, -0.2070047103, 0.7524779076, -1.0832912359, -0.0412256456],
  ],
  [
    { kind: "sgd", lr: 0.1, momentum: 0.8, dampening: 0.5, maximize: true, weightDecay: 0.05 },
    [0.2750685154, -0.2592916004, 0.8822251848, -1.1863077424, -0.066748141],
  ],
  [{ kind: "adam", lr: 0.01 }, [0.5152586842, -0.2535885045, 0.9967240993, -1.5167918388, 0.1487107644]],
  [
    { kind: "adam", lr: 0.01, betas: [0.8, 0.95], eps: 1e-3, weightDecay: 0.1 },
    [0.5000124664, -0.2436195355, 0.9688668451, -1.4763209477, 0.140537833],
  ],
  [{ kind: "adam", lr: 0.01, amsgrad: true }, [0.515259408, -0.2535870946, 0.9967251825, -1.5167884876, 0.1487112271]],
  [
    { kind: "adam", lr: 0.01, amsgrad: true, maximize: true, weightDecay: 0.1, betas: [0.5, 0.6] },
    [0.4790446899, -0.2524742382, 0.983156243, -1.4576755119, 0.1112998135],
  ],
  [
    { kind: "adam", lr: 0.01, maximize: true },
    [0.4847413158, -0.2464114955, 1.0032759007, -1.4832081612, 0.1012892356],
  ],
  [
    { kind: "adamw", lr: 0.01, weightDecay: 0.1 },
    [0.5091315907, -0.2505837341, 0.9848612026, -1.4987219662, 0.1470036693],
  ],
  [
    { kind: "adamw", lr: 0.01, weightDecay: 0.1, amsgrad: true, maximize: true, betas: [0.5, 0.6] },
    [0.4835465429, -0.2548450839, 0.9926106094, -1.4706754351, 0.1123884293],
  ],
];
const allOptions = torch.map(([o]) => o);

describe("torch.optim 1.13", () => {
  test.each(torch)("%j", (o, expected) => {
    const start = [0.5, -0.25, 1, -1.5, 0.125];
    const group = new Group([start], o);
    const reference = new Reference([...start], o);
    for (let t = 0; t < 12; t++) {
      const grad = start.map((_, i) => (((t * 7 + i * 3) % 11) - 5) / 8);
      group.update([grad]);
      reference.update(grad);
    }
    for (const [i, v] of expected.entries()) {
      expect(Math.abs((reference.p[i] as number) - v)).toBeLessThan(2e-10);
      expect(Math.abs((group.values()[i] as number) - v)).toBeLessThan(1e-6);
    }
    if (o.kind !== "sgd" || o.momentum !== undefined)
      expect(readInts((group.params[0] as { step: Ptr }).step, 1)[0]).toBe(12);
  });
});

describe("float64", () => {
  test.each(allOptions)("%j: a group of all small sizes, 40 steps", (o) => {
    const next = random(3);
    const sizes = [...Array(18).keys(), 130];
    const start = sizes.map((n) => Float32Array.from({ length: n }, () => next()));
    const group = new Group(start, o);
    const references = start.map((x) => new Reference([...x], o));
    for (let t = 0; t < 40; t++) {
      const grads = sizes.map((n) => Float32Array.from({ length: n }, () => next()));
      group.update(grads);
      for (const [i, r] of references.entries()) r.update(grads[i] as Float32Array);
    }
    for (const [i, r] of references.entries()) {
      for (const [k, v] of group.values(i).entries()) expect(Math.abs(v - (r.p[k] as number))).toBeLessThan(1e-5);
      if (o.kind !== "sgd") {
        for (const [k, v] of group.values(i, "v").entries()) expect(v).toBeCloseTo(r.state.v[k] as number, 6);
        if (o.amsgrad)
          for (const [k, v] of group.values(i, "top").entries()) expect(v).toBeCloseTo(r.state.top[k] as number, 6);
      }
    }
  });

  test("3000 steps: bias corrections go to 1", () => {
    const o: Options = { kind: "adam", lr: 1e-3 };
    const g = [0.5, -0.25, 1e-3];
    const group = new Group([[1, 2, 3]], o);
    const reference = new Reference([1, 2, 3], o);
    group.update([g]);
    reference.update(g);
    // The gradient stays in place.
    for (let t = 1; t < 3000; t++) {
      kernels.adam(group.table, 1, 1e-3, 0.9, 0.999, 1e-8, 0, 0, 0, 0);
      reference.update(g);
    }
    for (const [i, v] of group.values().entries()) expect(Math.abs(v - (reference.p[i] as number))).toBeLessThan(3e-4);
  });
});

describe("bits", () => {
  test.each(allOptions)("%j: an element's do not depend on its place or the parameter's size", (o) => {
    const next = random(8);
    const x = Float32Array.from({ length: 23 }, () => next());
    const starts = [0, 1, 2, 3, 20, 22];
    const group = new Group([x, ...starts.map((s) => x.slice(s))], o);
    for (let t = 0; t < 9; t++) {
      const g = Float32Array.from({ length: 23 }, () => (next() > 0.8 ? 0 : next()));
      group.update([g, ...starts.map((s) => g.slice(s))]);
    }
    for (const [i, s] of starts.entries()) {
      for (const what of ["p", "m", "v"] as const)
        expect(group.values(i + 1, what)).toEqual(group.values(0, what).slice(s));
    }
  });
});

describe("special values", () => {
  test.each(allOptions)("%j: NaN in a gradient reaches its own element, for good", (o) => {
    const n = 11;
    const group = new Group([new Float32Array(n).fill(1)], o);
    for (let t = 0; t < 4; t++) {
      const g = new Float32Array(n).fill(0.5);
      if (t === 1) g[2] = g[9] = Number.NaN;
      group.update([g]);
    }
    const bad = [...group.values()].flatMap((v, i) => (Number.isNaN(v) ? [i] : []));
    expect(bad).toEqual([2, 9]);
  });

  test.each(allOptions)("%j: denormal states become 0", (o) => {
    const group = new Group([new Float32Array(9).fill(1)], o, 1e-39);
    for (let t = 0; t < 2; t++) group.update([new Float32Array(9)]);
    if (o.weightDecay && o.kind !== "adamw") return;
    for (const what of ["m", "v"] as const) {
      if (o.kind === "sgd" && (what === "v" || o.momentum === undefined)) continue;
      expect([...group.values(0, what)]).toEqual(Array(9).fill(0));
    }
  });

  test("an infinite parameter without gradient stays: no 0 * Infinity", () => {
    for (const o of allOptions.filter((e) => !e.weightDecay)) {
      reset();
      const group = new Group([new Float32Array(9).fill(-Infinity)], o);
      for (let t = 0; t < 3; t++) group.update([new Float32Array(9)]);
      expect([...group.values()]).toEqual(Array(9).fill(-Infinity));
    }
  });

  test("the first step does not read the momentum buffer; plain SGD touches no state", () => {
    const group = new Group([[1, 2, 3, 4, 5]], { kind: "sgd", lr: 1, momentum: 0.9 }, Number.NaN);
    group.update([[1, 1, 1, 1, 1]]);
    expect([...group.values()]).toEqual([0, 1, 2, 3, 4]);
    const p = floats([1, 2, 3, 4, 5]);
    const table = ints([Number(p), Number(floats([1, 1, 1, 1, 1])), 0, 0, 0, 0, 5, 0]);
    kernels.sgd(table, 1, 1, 0, 0, 0, 0, 0);
    check();
    expect([...readFloats(p, 5)]).toEqual([0, 1, 2, 3, 4]);
  });
});
