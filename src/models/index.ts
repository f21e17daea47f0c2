// gradine/models: small models made of gradine/nn's layers.
export type { GenerateOptions, GPTOptions } from "./gpt.js";
export { GPT } from "./gpt.js";
export type { MLPOptions } from "./mlp.js";
export { MLP } from "./mlp.js";
export type { CharLSTMOptions } from "./text.js";
export { BagOfWords, CharLSTM } from "./text.js";
export type { MobileNetOptions, ResNetOptions } from "./vision.js";
export { LeNet5, MobileNet, PlainNet, ResNet } from "./vision.js";
