// float64 functions that JavaScript lacks, for references.

const factorials = [1];
for (let i = 1; i <= 80; i++) factorials.push(factorials[i - 1]! * i);

/** The error function: its series, or for larger |x| the continued fraction of its complement. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (Number.isNaN(x) || a > 6) return Number.isNaN(x) ? x : Math.sign(x);
  if (a < 2.5) {
    let sum = 0;
    for (let n = 70; n >= 0; n--) sum += ((n % 2 ? -1 : 1) * a ** (2 * n + 1)) / (factorials[n]! * (2 * n + 1));
    return (Object.is(x, -0) ? x : Math.sign(x)) * (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let k = 120; k > 0; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}

/** The nearest integer, of two the even one; the sign of x stays. */
export function roundEven(x: number): number {
  const down = Math.floor(x);
  const up = x - down > 0.5 || (x - down === 0.5 && down % 2 !== 0);
  const y = up ? down + 1 : down;
  return y === 0 ? (x < 0 || Object.is(x, -0) ? -0 : 0) : y;
}

/** x to the power of y as C and PyTorch have it: JavaScript says NaN for 1 to the NaN and ±1 to the ±Infinity. */
export const power = (x: number, y: number): number =>
  x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y;

/** The remainder with the sign of b. */
export function modulo(a: number, b: number): number {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
}
