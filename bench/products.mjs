// Rows of the benches of matrix products.
import { matmul } from "./data.mjs";
import { elements } from "./reference.mjs";

/** The row of one product. */
export function product(layout, [m, k, n], goals) {
  const spec = matmul(m, k, n, layout);
  return {
    label: `${m === k && k === n ? m : `${m}x${k}x${n}`} ${layout}`,
    spec,
    flop: 2 * m * k * n,
    expected: () => elements(spec),
    tolerance: 1e-4,
    goals,
  };
}

/** What the large products are to reach of the machine's peak. */
export function ofPeak(layout) {
  const name = `matmul ${layout} 256 to 1024, of the peak`;
  return [
    { name: `${name}, strict`, unit: "share", floor: 0.85, aim: 0.92 },
    { name: `${name}, fast`, of: "gradine fast", unit: "share", floor: 0.92, aim: 0.97 },
  ];
}
