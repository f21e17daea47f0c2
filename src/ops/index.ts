// Ops as the rest of the library sees them.
import "./fluent.js";

export * from "./families.js";
export { fillNormal, fillUniform } from "./fill-random.js";
