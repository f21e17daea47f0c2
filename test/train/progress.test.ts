// Progress lines: their text, and how they are written to a terminal, a pipe, and where there is neither.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { tensor } from "../../src/index.js";
import { Linear, MSELoss } from "../../src/nn/index.js";
import { fit } from "../../src/train/index.js";
import { type Progress, ProgressWriter, progressLine, showSeconds } from "../../src/train/progress.js";

const state = (changes: Partial<Progress> = {}): Progress => ({
  epoch: 3,
  epochs: 20,
  batch: 12,
  batches: 24,
  values: { loss: 0.12344, accuracy: 0.9612 },
  seconds: 0.04,
  remaining: 17 * 24,
  ...changes,
});

describe("the line", () => {
  test("epoch, bar, batches, values, rate, time left of the whole training", () => {
    // 12 batches in 0.04 s are 300 a second; 12 + 17·24 = 420 are left, 1.4 s.
    expect(progressLine(state())).toBe(
      "epoch  3/20 ━━━━━━━━━━           12/24  loss 0.1234  accuracy 0.9612  300 batches/s  ETA 1.4s",
    );
    expect(progressLine(state({ epoch: 20, batch: 24, remaining: 0 }))).toContain("━━━━━━━━━━━━━━━━━━━━ 24/24");
    expect(progressLine(state({ epoch: 20, batch: 24, remaining: 0 }))).toMatch(/ETA 0\.0s$/);
    expect(progressLine(state({ batch: 0, seconds: 0 }))).toMatch(/ {20} 0\/24 .* 0\.0 batches\/s$/);
  });

  test("slow trainings, small and absent values", () => {
    expect(progressLine(state({ seconds: 60, values: { loss: 0.00012345 } }))).toMatch(
      /loss 1\.23e-4 {2}0\.2 batches\/s {2}ETA 35m00s$/,
    );
    expect(progressLine(state({ values: { loss: Number.NaN } }))).toContain("loss NaN");
    expect(progressLine(state({ values: { loss: 0 } }))).toContain("loss 0.0000");
    expect(progressLine(state({ values: { loss: -123456.789 } }))).toContain("loss -123456.7890");
  });

  test("a loader without a length, and one that gives more than it promised", () => {
    expect(progressLine(state({ batches: 0, remaining: 0 }))).toBe(
      "epoch  3/20 12  loss 0.1234  accuracy 0.9612  300 batches/s",
    );
    expect(progressLine(state({ batches: 5, remaining: 0 }))).toMatch(/━{20} 12\/5 .*ETA 0\.0s$/);
  });

  test.each([
    [0, "0.0s"],
    [9.94, "9.9s"],
    [9.96, "10s"],
    [59.4, "59s"],
    [59.6, "1m00s"],
    [65, "1m05s"],
    [119.7, "2m00s"],
    [3599.9, "1h00m"],
    [3725, "1h02m"],
    [360000, "100h00m"],
  ])("%d s is %s", (seconds, text) => expect(showSeconds(seconds)).toBe(text));
});

const erase = "\x1b[2K";

/** What a terminal shows after these writes: each line as it was last written. */
function screen(writes: readonly string[]): string[] {
  const lines = [""];
  for (const part of writes
    .join("")
    .replaceAll(erase, "\f")
    .split(/([\n\r\f])/)) {
    if (part === "\n") lines.push("");
    else if (part === "\f") lines[lines.length - 1] = "";
    else if (part !== "\r") lines[lines.length - 1] += part;
  }
  return lines;
}

describe("written", () => {
  let clock = 0;
  beforeEach(() => {
    clock = 1e6;
    vi.spyOn(Date, "now").mockImplementation(() => clock);
  });
  afterEach(() => vi.restoreAllMocks());

  /** A terminal that remembers. */
  const terminal = (options: { isTTY?: boolean; columns?: number }) => {
    const writes: string[] = [];
    return { ...options, writes, write: (text: string) => void writes.push(text) };
  };

  test("on a terminal one line is rewritten, at most ten times a second, and kept at the end of the epoch", () => {
    const t = terminal({ isTTY: true, columns: 200 });
    const writer = new ProgressWriter(t);
    for (let batch = 1; batch <= 24; batch++) {
      writer.batch(state({ batch }));
      clock += 25;
    }
    expect(t.writes.length).toBe(6);
    expect(t.writes.every((text) => text.startsWith("\r\x1b[2K") && !text.includes("\n"))).toBe(true);
    expect(screen(t.writes)).toEqual([progressLine(state({ batch: 21 }))]);
    writer.epoch(state({ batch: 24, seconds: 1.26 }), { loss: 0.5, accuracy: 0.75 });
    expect(screen(t.writes)).toEqual([
      "epoch  3/20  loss 0.1234  accuracy 0.9612  |  validation loss 0.5000  accuracy 0.7500  1.3s",
      "",
    ]);
    writer.close(); // nothing is left to close
    expect(screen(t.writes).length).toBe(2);
  });

  test("a line longer than the terminal is cut, so that it can be rewritten", () => {
    const t = terminal({ isTTY: true, columns: 40 });
    const writer = new ProgressWriter(t);
    writer.batch(state());
    expect(screen(t.writes)[0]).toBe(progressLine(state()).slice(0, 39));
    const wide = terminal({ isTTY: true });
    new ProgressWriter(wide).batch(state());
    expect(screen(wide.writes)[0]).toBe(progressLine(state()));
  });

  test("an unfinished line is ended, once", () => {
    const t = terminal({ isTTY: true, columns: 200 });
    const writer = new ProgressWriter(t);
    writer.batch(state());
    writer.close();
    writer.close();
    expect(screen(t.writes)).toEqual([progressLine(state()), ""]);
  });

  test("piped, one plain line an epoch", () => {
    const t = terminal({ isTTY: false });
    const writer = new ProgressWriter(t);
    for (let batch = 1; batch <= 24; batch++) {
      writer.batch(state({ batch }));
      clock += 1000;
    }
    writer.epoch(state({ seconds: 24 }), undefined);
    writer.close();
    expect(t.writes).toEqual(["epoch  3/20  loss 0.1234  accuracy 0.9612  24s\n"]);
  });

  test("where there is no terminal, to the console", () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    vi.stubGlobal("process", undefined);
    try {
      const writer = new ProgressWriter();
      writer.batch(state());
      writer.epoch(state({ seconds: 2 }), undefined);
      writer.close();
    } finally {
      vi.unstubAllGlobals();
    }
    expect(log.mock.calls).toEqual([["epoch  3/20  loss 0.1234  accuracy 0.9612  2.0s"]]);
  });

  test("fit ends its line when it is aborted or throws", async () => {
    const model = new Linear(1, 1);
    const batch = [tensor([[1]]), tensor([[1]])] as const;
    const writes: string[] = [];
    const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      writes.push(String(text));
      return true;
    });
    const tty = process.stdout.isTTY;
    process.stdout.isTTY = true;
    const signal = { aborted: false };
    let failing = false;
    const optimizer = {
      zeroGrad: () => model.zeroGrad(),
      step: () => {
        clock += 1000;
        signal.aborted = true;
      },
    };
    const loader = {
      length: 2,
      *[Symbol.iterator]() {
        yield batch;
        if (failing) throw new Error("torn");
        yield batch;
      },
    };
    try {
      await fit(model, loader, { loss: new MSELoss(), optimizer, signal });
      failing = true;
      await expect(fit(model, loader, { loss: new MSELoss(), optimizer })).rejects.toThrow("torn");
    } finally {
      process.stdout.isTTY = tty;
      write.mockRestore();
    }
    const shown = screen(writes);
    expect(shown.map((line) => line.slice(0, 9))).toEqual(["epoch 1/1", "epoch 1/1", ""]);
  });
});
