// Kernels of recurrent cells against float64, at sizes around the vector width, with and without rows that have ended.
import { beforeEach, describe, expect, test } from "vitest";
import { block, check, floats, ints, kernels, random, readFloats, reset } from "./harness.js";

beforeEach(reset);

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17];
const batch = 3;
/** The second row has ended at time 2. */
const lengths = [3, 2, 4];
const time = 2;

const values = (n: number, seed: number) => {
  const next = random(seed);
  return Float32Array.from({ length: n }, () => next(-2, 2));
};

function close(got: Float32Array, want: readonly number[], tolerance = 2e-6): void {
  expect(got.length).toBe(want.length);
  want.forEach((value, i) => {
    if (Math.abs(got[i]! - value) > tolerance * Math.max(1, Math.abs(value))) {
      throw new Error(`element ${i}: is ${got[i]}, must be ${value}`);
    }
  });
}

/** Runs `row(b, j)` for all and gives what it returns by name. */
function reference<K extends string>(
  names: readonly K[],
  hidden: number,
  cell: (at: number, b: number, j: number) => Record<K, number>,
): Record<K, number[]> {
  const out = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let b = 0; b < batch; b++) {
    for (let j = 0; j < hidden; j++) {
      const result = cell(b * hidden + j, b, j);
      for (const name of names) out[name].push(result[name]);
    }
  }
  return out;
}

describe.each([false, true])("rows that have ended: %s", (masked) => {
  const ended = (b: number) => masked && time >= lengths[b]!;
  const at = () => (masked ? ints(lengths) : (0 as never));

  test.each(sizes)("lstm, hidden %i", (n) => {
    const gates = values(batch * 4 * n, 1);
    const [cp, hp, gy, dh, dc] = [2, 3, 4, 5, 6].map((seed) => values(batch * n, seed)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const gate = (b: number, k: number, j: number) => {
      const x = gates[(b * 4 + k) * n + j]!;
      return k === 2 ? Math.tanh(x) : sigmoid(x);
    };
    const forward = (i: number, b: number, j: number) => {
      if (ended(b)) return { c: cp[i]!, h: hp[i]! };
      const c = gate(b, 1, j) * cp[i]! + gate(b, 0, j) * gate(b, 2, j);
      return { c, h: gate(b, 3, j) * Math.tanh(c) };
    };
    const pg = floats(gates);
    const [pcp, php, pc, ph, pl] = [floats(cp), floats(hp), block(4 * batch * n), block(4 * batch * n), at()];
    kernels.lstmForward(pg, pcp, php, pc, ph, pl, batch, n, time);
    check();
    const want = reference(["c", "h"], n, forward);
    close(readFloats(pc, batch * n), want.c);
    close(readFloats(ph, batch * n), want.h);

    const [pgy, pdh, pdc, pdg] = [floats(gy), floats(dh), floats(dc), block(16 * batch * n)];
    kernels.lstmBackward(pg, pcp, pc, pgy, pdh, pdc, pdg, pl, batch, n, time);
    check();
    const back = reference(["i", "f", "g", "o", "dc", "dh"], n, (i, b, j) => {
      if (ended(b)) return { i: 0, f: 0, g: 0, o: 0, dc: dc[i]!, dh: dh[i]! + gy[i]! };
      const [vi, vf, vg, vo] = [0, 1, 2, 3].map((k) => gate(b, k, j)) as [number, number, number, number];
      const t = Math.tanh(forward(i, b, j).c);
      const d = gy[i]! + dh[i]!;
      const e = dc[i]! + d * vo * (1 - t * t);
      return {
        i: e * vg * vi * (1 - vi),
        f: e * cp[i]! * vf * (1 - vf),
        g: e * vi * (1 - vg * vg),
        o: d * t * vo * (1 - vo),
        dc: e * vf,
        dh: 0,
      };
    });
    const dgates = readFloats(pdg, batch * 4 * n);
    ["i", "f", "g", "o"].forEach((name, k) => {
      const rows = Array.from({ length: batch }, (_, b) => [...dgates.slice((b * 4 + k) * n, (b * 4 + k + 1) * n)]);
      close(Float32Array.from(rows.flat()), back[name as "i"]);
    });
    close(readFloats(pdc, batch * n), back.dc);
    close(readFloats(pdh, batch * n), back.dh);
  });

  test.each(sizes)("gru, hidden %i", (n) => {
    const [gates, inner] = [values(batch * 3 * n, 1), values(batch * 3 * n, 2)];
    const [hp, gy, dh] = [values(batch * n, 3), values(batch * n, 4), values(batch * n, 5)];
    const cell = (b: number, j: number) => {
      const of = (x: Float32Array, k: number) => x[(b * 3 + k) * n + j]!;
      const [r, z] = [0, 1].map((k) => sigmoid(of(gates, k) + of(inner, k))) as [number, number];
      return { r, z, q: of(inner, 2), v: Math.tanh(of(gates, 2) + r * of(inner, 2)) };
    };
    const [pg, pi, php, ph, pq, pl] = [
      floats(gates),
      floats(inner),
      floats(hp),
      block(4 * batch * n),
      block(4 * batch * n),
      at(),
    ];
    kernels.gruForward(pg, pi, php, ph, pq, pl, batch, n, time);
    check();
    const want = reference(["h"], n, (i, b, j) => {
      const { z, v } = cell(b, j);
      return { h: ended(b) ? hp[i]! : (1 - z) * v + z * hp[i]! };
    });
    close(readFloats(ph, batch * n), want.h);

    const [pgy, pdh, pdg, pdi] = [floats(gy), floats(dh), block(12 * batch * n), block(12 * batch * n)];
    kernels.gruBackward(pg, pq, php, pgy, pdh, pdg, pdi, pl, batch, n, time);
    check();
    const back = reference(["r", "z", "n", "m", "dh"], n, (i, b, j) => {
      if (ended(b)) return { r: 0, z: 0, n: 0, m: 0, dh: dh[i]! + gy[i]! };
      const { r, z, q, v } = cell(b, j);
      const d = gy[i]! + dh[i]!;
      const dv = d * (1 - z) * (1 - v * v);
      return { r: dv * q * r * (1 - r), z: d * (hp[i]! - v) * z * (1 - z), n: dv, m: dv * r, dh: d * z };
    });
    for (const [ptr, names] of [
      [pdg, ["r", "z", "n"]],
      [pdi, ["r", "z", "m"]],
    ] as const) {
      const all = readFloats(ptr, batch * 3 * n);
      names.forEach((name, k) => {
        const rows = Array.from({ length: batch }, (_, b) => [...all.slice((b * 3 + k) * n, (b * 3 + k + 1) * n)]);
        close(Float32Array.from(rows.flat()), back[name]);
      });
    }
    close(readFloats(pdh, batch * n), back.dh);
  });

  test.each(sizes)("rnn, hidden %i", (n) => {
    for (const rectified of [0, 1]) {
      reset();
      const [x, hp, gy, dh] = [1, 2, 3, 4].map((seed) => values(batch * n, seed)) as [
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const y = (i: number) => (rectified ? Math.max(x[i]!, 0) : Math.tanh(x[i]!));
      const [ph, php, pl] = [floats(x), floats(hp), at()];
      kernels.rnnForward(ph, php, pl, batch, n, time, rectified);
      check();
      close(readFloats(ph, batch * n), reference(["h"], n, (i, b) => ({ h: ended(b) ? hp[i]! : y(i) })).h);
      const [pgy, pdh, pdg] = [floats(gy), floats(dh), block(4 * batch * n)];
      kernels.rnnBackward(ph, pgy, pdh, pdg, pl, batch, n, time, rectified);
      check();
      const back = reference(["g", "dh"], n, (i, b) => {
        const d = gy[i]! + dh[i]!;
        if (ended(b)) return { g: 0, dh: d };
        return { g: rectified ? (x[i]! > 0 ? d : 0) : d * (1 - y(i) ** 2), dh: 0 };
      });
      close(readFloats(pdg, batch * n), back.g);
      close(readFloats(pdh, batch * n), back.dh);
    }
  });
});

test("NaN comes through, and nothing is read or written for an empty batch", () => {
  const gates = floats(new Float32Array(20).fill(Number.NaN));
  const [c, h, pc, ph] = [floats([1, 1, 1, 1, 1]), floats([1, 1, 1, 1, 1]), block(20), block(20)];
  kernels.lstmForward(gates, c, h, pc, ph, 0 as never, 1, 5, 0);
  expect([...readFloats(ph, 5)].every(Number.isNaN)).toBe(true);
  kernels.lstmForward(gates, c, h, pc, ph, 0 as never, 0, 5, 0);
  kernels.gruForward(gates, c, h, pc, ph, 0 as never, 0, 5, 0);
  kernels.rnnForward(gates, c, 0 as never, 0, 5, 0, 0);
  check();
});
