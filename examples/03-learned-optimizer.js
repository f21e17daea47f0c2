// Learns to learn: an LSTM is trained on random least-squares problems to propose updates, and then runs against SGD and
// Adam, each with the best learning rate of a grid, on problems that none of them has seen. About a quarter of a minute.
//   node examples/03-learned-optimizer.js
import { Generator, manualSeed, noGrad, randn, scope, steps, tensor } from "gradine";
import { Adam, LearnedOptimizer, LearnedRule, metaTrain, SGD } from "gradine/optim";

const size = 10; // unknowns of a problem
const updates = 100;

/** `count` problems ‖W·x − y‖² with W and y normal, side by side: a loss, and where x starts. */
function problems(seed, count) {
  const generator = new Generator(seed);
  const [w, y, x] = [size, 1, 1].map((columns) => randn([count, size, columns], { generator }));
  generator.dispose();
  return { start: { x }, loss: ({ x }) => w.matmul(x).sub(y).square().sum() };
}

manualSeed(0);
const rule = new LearnedRule();
const episodes = 400;
const began = Date.now();
const losses = metaTrain(rule, (episode) => problems(10_000 + episode, 16), { episodes, steps: updates });
const weights = rule.parameters().reduce((sum, { numel }) => sum + numel, 0);
console.log(`meta-training: ${weights} weights, ${episodes} episodes of 16 problems, ${(Date.now() - began) / 1000} s`);
for (let i = 0; i < episodes; i += 80)
  console.log(`  after ${String(updates)} updates in episode ${String(i).padStart(3)}: ${(losses[i] / 16).toFixed(3)}`);

const count = 32;
const x = tensor(new Float32Array(count * size), { shape: [count, size, 1], requiresGrad: true });

/** An optimizer of x, as it was when it was made and as often as it is asked for. */
function contestant(optimizer) {
  const fresh = optimizer.stateDict();
  return (lr) => {
    optimizer.loadStateDict(fresh);
    if (lr !== undefined) optimizer.paramGroups[0].lr = lr;
    return optimizer;
  };
}

/** Mean losses of the problems of a seed, before the first update and after each. */
const race = (seed, optimizer) =>
  scope(() => {
    const { start, loss } = problems(seed, count);
    noGrad(() => x.copy(start.x));
    const curve = [];
    for (const _ of steps(updates)) {
      optimizer.zeroGrad();
      const value = loss({ x });
      value.backward();
      optimizer.step();
      curve.push(value.item() / count);
    }
    return [...curve, noGrad(() => loss({ x })).item() / count];
  });
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The rate of a grid from 0.001 to 1 with the least mean loss at the end, over problems that are used for nothing else. */
function tune(fresh) {
  const grid = Array.from({ length: 13 }, (_, i) => 10 ** (-3 + i / 4)).map((lr) => {
    const score = mean([1, 2, 3].map((seed) => race(seed, fresh(lr)).at(-1)));
    return { lr, score: Number.isFinite(score) ? score : Infinity };
  });
  return grid.reduce((best, one) => (one.score < best.score ? one : best)).lr;
}

const seeds = [101, 102, 103, 104, 105];
const shown = [0, 10, 25, 50, 100];
const row = (name, cells, rest) => console.log(name.padEnd(28), cells.map((c) => c.padStart(8)).join(" "), "  ", rest);
console.log(`\nmean loss of ${seeds.length} × ${count} unseen problems`);
row("after updates", shown.map(String), "the last by seed");

function contest(name, fresh, lr) {
  const curves = seeds.map((seed) => race(seed, fresh(lr)));
  const ends = curves.map((curve) => curve.at(-1));
  const cells = shown.map((step) => mean(curves.map((curve) => curve[step])).toFixed(3));
  row(lr === undefined ? name : `${name}, lr ${lr.toPrecision(2)}`, cells, ends.map((end) => end.toFixed(3)).join(" "));
  return ends;
}
const learned = contest("learned", contestant(new LearnedOptimizer([x], { rule })));
const [plain] = [
  ["SGD", new SGD([x])],
  ["SGD, momentum 0.9", new SGD([x], { momentum: 0.9 })],
  ["Adam", new Adam([x])],
].map(([name, optimizer]) => {
  const fresh = contestant(optimizer);
  return contest(name, fresh, tune(fresh));
});
const wins = learned.filter((end, i) => end < plain[i]).length;
console.log(`\nThe learned optimizer ends lower than tuned SGD on ${wins} of ${seeds.length} seeds,`);
console.log(`at ${(mean(learned) / mean(plain)).toFixed(2)} of its loss.`);
