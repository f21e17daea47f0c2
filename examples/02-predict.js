// Loads the weights that `npm start` saved and reads digits with them: npm run predict -- 0 17 1000
import { readFile } from "node:fs/promises";
import { noGrad, softmax } from "gradine";
import { StandardScaler } from "gradine/data";
import { decodeSafetensors } from "gradine/io";
import { loadDigits } from "./data/digits.js";
import { draw, imagesOf, makeModel, weightsFile } from "./model.js";

const bytes = await readFile(weightsFile).catch(() => {
  console.error("There are no trained weights yet. Run `npm start` first.");
  process.exit(1);
});
const { "scaler.mean": mean, "scaler.std": std, ...weights } = decodeSafetensors(bytes).tensors;
const model = makeModel().eval();
model.loadStateDict(weights);
const scaler = new StandardScaler();
scaler.loadStateDict({ mean, std });

const digits = loadDigits();
const asked = process.argv.slice(2).map(Number);
const wanted = asked.length > 0 ? asked : [3, 250, 1000, 1796];
for (const i of wanted) {
  if (!Number.isInteger(i) || i < 0 || i >= digits.count) {
    console.error(`There is no image ${i}: numbers go from 0 to ${digits.count - 1}.`);
    process.exit(1);
  }
  const pixels = digits.pixels.subarray(64 * i, 64 * i + 64);
  const chances = noGrad(() => softmax(model.forward(scaler.transform(imagesOf(pixels))), 1)).toTypedArray();
  const best = chances.indexOf(Math.max(...chances));
  console.log(`\nimage ${i}, written as a ${digits.labels[i]}`);
  console.log(draw(pixels).join("\n"));
  console.log(`read as a ${best}, with ${(100 * chances[best]).toFixed(1)}%`);
}
