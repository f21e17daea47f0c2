// Elementary functions of host numbers, from our own kernels: JavaScript's Math.exp and the like differ between engines
// in the last bit. For schedules, metrics and gains; a tensor must have been made before (the kernels start with it).
import { kernels } from "../kernels/index.js";

export const scalarCos = (x: number): number => kernels.scalarTrig(x, 1);
export const scalarExp = (x: number): number => kernels.scalarExp(x);
export const scalarLog = (x: number): number => kernels.scalarLog(x);
/** x^y */
export const scalarPow = (x: number, y: number): number => kernels.scalarPow(x, y);
