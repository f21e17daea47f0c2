// Tasks in parallel workers, in a program of its own that imports the built package by its name (run.js, members.js).
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";

type Failure = { name: string; message: string; stack?: string };
interface Output {
  serial: object;
  parallel: object;
  one: object;
  seeds: [number[], number[]];
  squares: number[];
  stopped: string[];
  usable: number[];
  early: [string, number][];
  fragile: Failure;
  functions: Failure;
  nested: Failure;
  nothing: number;
  number: Failure;
  absent: Failure;
  relative: Failure;
  deadly: Failure;
}

describe("inWorkers", () => {
  let output: Output;
  beforeAll(async () => {
    const program = fileURLToPath(new URL("workers/run.js", import.meta.url));
    // A worker that outlived its call would keep the process alive.
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 60_000 });
    output = JSON.parse(stdout) as Output;
  }, 70_000);

  test("bagging gives the bits of one member after another: weights, histories, out-of-bag error", () => {
    expect(output.parallel).toEqual(output.serial);
    expect(output.one).toEqual(output.serial);
    expect(output.serial).toMatchObject({ training: false });
  });

  test("leaves the seed as it was", () => {
    expect(output.seeds[0]).toEqual(output.seeds[1]);
  });

  test("any task: what the members give is joined in their order", () => {
    expect(output.squares).toEqual([0, 1, 4, 9]);
    expect(output.nothing).toBe(4);
  });

  test("an abort ends the members under way, begins no more, and leaves a usable model", () => {
    expect(output.stopped).toEqual(["aborted", "aborted"]);
    expect(output.usable).toEqual([2, 1]);
    expect(output.early).toEqual([
      ["aborted", 0],
      ["aborted", 0],
    ]);
  });

  test("a worker that throws, dies, or gives what cannot cross: an error that names the member", () => {
    expect(output.fragile.message).toBe("inWorkers: member 2 of fragile failed: the glass broke");
    expect(output.fragile.stack).toContain("members.js");
    expect(output.deadly.message).toBe("inWorkers: member 1 of deadly failed: its worker ended with exit code 7");
    expect(output.functions.message).toMatch(/^inWorkers: member [01] of functions failed: .* could not be cloned/);
  });

  test("workers begin no workers", () => {
    expect(output.nested.message).toMatch(/member [01] of nested failed: inWorkers: called within a worker\./);
  });

  test("modules and exports that are none", () => {
    expect(output.number).toMatchObject({
      name: "TypeError",
      message: expect.stringContaining("must be a task: got 5"),
    });
    expect(output.absent.message).toContain("none.js");
    expect(output.relative.message).toContain('module must be an absolute URL: got "./members.js"');
  });
});
