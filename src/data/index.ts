// gradine/data: datasets, loaders and preprocessing.

export type { Dataset } from "./dataset.js";
export { randomSplit, Subset, TensorDataset } from "./dataset.js";
export type { DataLoaderOptions } from "./loader.js";
export { DataLoader } from "./loader.js";
export { StandardScaler } from "./scaler.js";
export type { SplitOptions, TrainValTestOptions } from "./split.js";
export { kFold, trainValTestSplit } from "./split.js";
