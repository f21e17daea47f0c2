// A line search for the strong Wolfe conditions (Nocedal and Wright, algorithms 3.5 and 3.6), as PyTorch has it.

/** The loss and its gradient somewhere along the line, and the slope along it. */
interface Point {
  readonly length: number;
  readonly loss: number;
  readonly gradient: Float32Array;
  readonly slope: number;
}

/** The minimum of the cubic through two points with their slopes, within bounds. */
function cubicMinimum(
  a: Point,
  b: Point,
  low = Math.min(a.length, b.length),
  high = Math.max(a.length, b.length),
): number {
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.length - b.length);
  const square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const d2 = Math.sqrt(square);
  const [left, right] = a.length <= b.length ? [a, b] : [b, a];
  const at =
    right.length - (right.length - left.length) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return Math.min(Math.max(at, low), high);
}

const maxTries = 25;
const armijo = 1e-4;
const curvature = 0.9;
const toleranceChange = 1e-9;

/**
 * A length along `direction` where the loss fell enough and its slope flattened enough.
 *
 * @param at evaluates a length. @param first the length to begin with. @param start the point at length 0.
 */
export function strongWolfe(
  at: (length: number) => { loss: number; gradient: Float32Array },
  first: number,
  start: Omit<Point, "length">,
  direction: Float32Array,
): Point & { readonly evaluations: number } {
  const span = direction.reduce((top, v) => Math.max(top, Math.abs(v)), 0);
  const slopeOf = (gradient: Float32Array) => gradient.reduce((sum, v, i) => sum + v * direction[i]!, 0);
  let evaluations = 0;
  const evaluate = (length: number): Point => {
    evaluations++;
    const { loss, gradient } = at(length);
    return { length, loss, gradient, slope: slopeOf(gradient) };
  };
  const tooHigh = (p: Point) => p.loss > start.loss + armijo * p.length * start.slope;
  const flat = (p: Point) => Math.abs(p.slope) <= -curvature * start.slope;

  // Lengthen until a bracket holds a point that satisfies both conditions.
  const origin: Point = { length: 0, ...start };
  let before = origin;
  let point = evaluate(first);
  let bracket: [Point, Point] | null = null;
  let tries = 0;
  for (; tries < maxTries; tries++) {
    if (tooHigh(point) || (tries > 1 && point.loss >= before.loss)) bracket = [before, point];
    else if (flat(point)) return { ...point, evaluations };
    else if (point.slope >= 0) bracket = [before, point];
    if (bracket !== null) break;
    const { length } = point;
    const next = cubicMinimum(before, point, length + 0.01 * (length - before.length), length * 10);
    before = point;
    point = evaluate(next);
  }
  let [low, high] = bracket ?? [origin, point];
  if (low.loss > high.loss) [low, high] = [high, low];

  // Zoom: `low` is the best point of the bracket so far.
  let stuck = false;
  while (tries < maxTries && Math.abs(high.length - low.length) * span >= toleranceChange) {
    const [least, most] = low.length < high.length ? [low.length, high.length] : [high.length, low.length];
    let length = cubicMinimum(low, high);
    // Close to an end of the bracket twice, or upon it: go a tenth inward.
    const margin = 0.1 * (most - least);
    if (Math.min(most - length, length - least) < margin) {
      if (stuck || length >= most || length <= least) {
        length = Math.abs(length - most) < Math.abs(length - least) ? most - margin : least + margin;
        stuck = false;
      } else stuck = true;
    } else stuck = false;
    point = evaluate(length);
    tries++;
    if (tooHigh(point) || point.loss >= low.loss) {
      high = point;
      if (high.loss < low.loss) [low, high] = [high, low];
    } else {
      const done = flat(point);
      if (!done && point.slope * (high.length - low.length) >= 0) high = low;
      low = point;
      if (done) break;
    }
  }
  return { ...low, evaluations };
}
