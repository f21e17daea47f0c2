// Runs the tasks of members.js and prints what came of them as JSON: a program of its own, for any runtime.
import { manualSeed, randn } from "gradine";
import { bagging, inWorkers } from "gradine/train";
import { dataset, makeModel, options } from "./members.js";

const module = new URL("./members.js", import.meta.url);
const digest = ({ model, results, outOfBagError }) => ({
  weights: Object.entries(model.stateDict()).map(([name, x]) => [name, [...x.toTypedArray()]]),
  histories: results.map(({ kind, history }) => [kind, history.map(({ training }) => training.loss)]),
  outOfBagError,
  training: model.models.some((member) => member.training),
});
const failure = (promise) =>
  promise.then(
    () => "nothing was thrown",
    (error) => ({ name: error.name, message: error.message, stack: error.cause?.stack }),
  );

manualSeed(1);
const serial = digest(await bagging(makeModel, dataset, options));
manualSeed(2);
const parallel = digest(await inWorkers(module, "forest", { workers: 3 }));
const after = [...randn([2]).toTypedArray()];
manualSeed(2);
const untouched = [...randn([2]).toTypedArray()];

const controller = new AbortController();
setTimeout(() => controller.abort(), 300);
const stopped = await inWorkers(module, "endless", { workers: 2, signal: controller.signal });
const early = await inWorkers(module.href, "endless", { workers: 2, signal: AbortSignal.abort() });

const output = {
  serial,
  parallel,
  one: digest(await inWorkers(module, "forest", { workers: 1 })),
  seeds: [after, untouched],
  squares: await inWorkers(module, "squares"),
  stopped: stopped.results.map(({ kind }) => kind),
  usable: stopped.model.forward(randn([2, 3])).shape,
  early: early.results.map(({ kind, history }) => [kind, history.length]),
  fragile: await failure(inWorkers(module, "fragile", { workers: 2 })),
  functions: await failure(inWorkers(module, "functions", { workers: 2 })),
  nested: await failure(inWorkers(module, "nested", { workers: 2 })),
  nothing: (await inWorkers(module, "nothing", { workers: 2 })).length,
  number: await failure(inWorkers(module, "number")),
  absent: await failure(inWorkers(new URL("./none.js", import.meta.url), "forest")),
  relative: await failure(inWorkers("./members.js", "forest")),
  ...(typeof Worker === "undefined" && { deadly: await failure(inWorkers(module, "deadly", { workers: 2 })) }),
};
console.log(JSON.stringify(output));
