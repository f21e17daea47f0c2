// gradine/io: files.
export { decodeSafetensors, encodeSafetensors } from "./safetensors.js";
export type { SafeTensors } from "./safetensors.js";
