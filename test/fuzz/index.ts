// All step generators, one line a family.
import type { StepGenerator } from "./draw.js";
import { generators as elementwise } from "./elementwise.js";
import { generators as layout } from "./layout.js";
import { generators as matmul } from "./matmul.js";
import { generators as reduce } from "./reduce.js";

/** A family is drawn first, then a step of it, so that large families do not crowd out the others. */
export const families: readonly (readonly StepGenerator[])[] = [elementwise, layout, matmul, reduce];
