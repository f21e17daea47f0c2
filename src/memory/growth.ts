// Notices live tensors that grow for many steps, and warns once with where they are made. A step is an iteration of a
// scoped loop or a consumed graph. The least number of storages alive in a window of steps must rise window after window:
// then the next window notes where its storages are made, and those that outlive it are reported.
const windowSteps = 100;
const risingWindows = 10;
const sitesShown = 3;

/** A storage as far as growth is concerned. */
interface Counted {
  readonly op: string;
  readonly shape: readonly number[];
  readonly refs: number;
}

let steps = 0;
let least = Number.POSITIVE_INFINITY;
let leastBefore = Number.POSITIVE_INFINITY;
let rising = 0;
let warned = false;

/** Where the storages of the window under observation were made; null while nothing is suspected. */
let sites: Map<Counted, string> | null = null;

/** Notes where a storage is made, while growth is being looked into. */
export function noteCreation(storage: Counted): void {
  if (sites === null) return;
  const { stack } = new Error();
  // The first lines are this function, the storage and the tensor; then come the op and whoever called it.
  if (stack !== undefined) sites.set(storage, stack.split("\n").slice(4, 8).join("\n"));
}

/** Notes the end of a step, with the number of live storages. */
export function noteStep(live: number): void {
  if (warned) return;
  if (live < least) least = live;
  if (++steps < windowSteps) return;
  steps = 0;
  if (sites !== null) report(sites);
  rising = least > leastBefore ? rising + 1 : 0;
  leastBefore = least;
  least = Number.POSITIVE_INFINITY;
  sites = rising >= risingWindows && !warned ? new Map() : null;
}

function report(found: ReadonlyMap<Counted, string>): void {
  const bySite = new Map<string, { count: number; storage: Counted }>();
  for (const [storage, site] of found) {
    if (storage.refs === 0) continue;
    const entry = bySite.get(site);
    if (entry === undefined) bySite.set(site, { count: 1, storage });
    else entry.count++;
  }
  const worst = [...bySite].sort(([, a], [, b]) => b.count - a.count).slice(0, sitesShown);
  if (worst.length === 0 || worst[0]![1].count < windowSteps / 2) return;
  warned = true;
  console.warn(
    `gradine: live tensors have grown for ${windowSteps * (risingWindows + 1)} steps. In the last ${windowSteps}, these outlived their step:\n` +
      worst
        .map(([site, { count, storage }]) => `  ${count} x ${storage.op} [${storage.shape.join(",")}] made at\n${site}`)
        .join("\n") +
      "\nUse steps(n), a DataLoader, noGrad() or scope() around the loop's body, or dispose() them. This is said once.",
  );
}
