// gradine/io: files.

export type { SafeTensors } from "./safetensors.js";
export { decodeSafetensors, encodeSafetensors } from "./safetensors.js";
