// One line for each check that a script makes, and the totals at the end, in the form that .ci/run adds up.

/** Runs named checks in order; a check fails by throwing, and may return a remark. */
export class Checks {
  #passed = 0;
  #failed = 0;

  async run(name, check) {
    const start = performance.now();
    try {
      const remark = await check();
      this.#passed++;
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`ok    ${name.padEnd(28)} ${seconds.padStart(5)} s  ${remark ?? ""}`.trimEnd());
    } catch (error) {
      this.#failed++;
      console.log(`FAIL  ${name}: ${String(error?.message ?? error).trim()}`);
    }
  }

  /** Prints the totals; the process fails when a check did. */
  end() {
    console.log(`${this.#passed} passed, ${this.#failed} failed`);
    if (this.#failed > 0) process.exitCode = 1;
  }
}
