// Trains a classifier on 1,797 real handwritten digits, shows how it goes, and saves the weights.
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { manualSeed, noGrad, tensor } from "gradine";
import { DataLoader, randomSplit, StandardScaler, TensorDataset } from "gradine/data";
import { encodeSafetensors } from "gradine/io";
import { CrossEntropyLoss } from "gradine/nn";
import { AdamW } from "gradine/optim";
import { accuracy, confusionMatrix, fit } from "gradine/train";
import { loadDigits } from "./data/digits.js";
import { draw, imagesOf, makeModel, weightsFile } from "./model.js";

manualSeed(7);
const digits = loadDigits();
const labels = tensor(Int32Array.from(digits.labels));
const images = imagesOf(digits.pixels);

// A fifth is held out before anything is fitted to the rest.
const [trainPart, testPart] = randomSplit(new TensorDataset(images, labels), [0.8, 0.2]);
const scaler = new StandardScaler().fit(trainPart.dataset.batch(trainPart.indices)[0]);
const standardized = new TensorDataset(scaler.transform(images), labels);
const part = ({ indices }) => new TensorDataset(...standardized.batch(indices));
const train = new DataLoader(part(trainPart), { batchSize: 32, shuffle: true });
const test = new DataLoader(part(testPart), { batchSize: 128 });

const model = makeModel();
console.log(`${digits.count} digits of 43 writers: ${trainPart.length} to learn from, ${testPart.length} held out\n`);
console.log(model.summary([1, 64]), "\n");

const { history } = await fit(model, train, {
  loss: new CrossEntropyLoss(),
  optimizer: new AdamW(model.parameters(), { lr: 2e-3, weightDecay: 0.02 }),
  epochs: 30,
  validation: test,
  metrics: { accuracy },
});

console.log("\nloss on the training part, epoch after epoch (logarithmic)");
const losses = history.map(({ training }) => training.loss);
const height = 8;
const scale = (value) => Math.log(Math.max(value, 1e-4));
const [low, high] = [scale(Math.min(...losses)), scale(Math.max(...losses))];
for (let row = height - 1; row >= 0; row--) {
  const level = low + ((high - low) * row) / (height - 1);
  const edge = row === height - 1 || row === 0 ? Math.exp(level).toFixed(4) : "";
  console.log(edge.padStart(8), "|", losses.map((loss) => (scale(loss) >= level - 1e-9 ? "█" : " ")).join(" "));
}

// What it makes of the digits it has not seen.
const [testImages, testLabels] = test.dataset.tensors;
const logits = noGrad(() => model.forward(testImages));
const predicted = logits.argmax(1).toTypedArray();
const truth = testLabels.toTypedArray();

console.log("\na few that it misread");
const misread = [...predicted.keys()].filter((i) => predicted[i] !== truth[i]).slice(0, 4);
const pictures = misread.map((i) =>
  draw(digits.pixels.subarray(64 * testPart.indices[i], 64 * testPart.indices[i] + 64)),
);
for (let row = 0; row < 8; row++) console.log(pictures.map((lines) => lines[row]).join("    "));
console.log(misread.map((i) => `a ${truth[i]}, read as ${predicted[i]}`.padEnd(16)).join("    "));

console.log("\nconfusion matrix (row: the digit, column: what was read)");
console.log("     ", [...Array(10).keys()].map((digit) => String(digit).padStart(3)).join(""));
for (const [digit, row] of confusionMatrix(predicted, truth, 10).entries()) {
  console.log(
    String(digit).padStart(4),
    " ",
    row.map((count) => (count === 0 ? "." : String(count)).padStart(3)).join(""),
  );
}

const { mean, std } = scaler.stateDict();
await writeFile(weightsFile, encodeSafetensors({ ...model.stateDict(), "scaler.mean": mean, "scaler.std": std }));
console.log(`\nweights saved to ${fileURLToPath(weightsFile)}; try: npm run predict`);
console.log(`test accuracy: ${(100 * accuracy(logits, testLabels)).toFixed(1)}%`);
