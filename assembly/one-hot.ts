// One-hot rows of class numbers.

/**
 * y[i, :] = 0 but for `one` (the bits of a 1 of y's type) at class x[i]; classes are i32, or f32 that hold integers.
 * Gives -1, or the position of the first that is no class; then nothing has been written.
 */
export function oneHot(x: usize, isFloat: i32, y: usize, n: i32, classes: i32, one: i32): i32 {
  assert(n >= 0 && classes >= 0, "oneHot: extents must not be negative");
  const limit = <f32>classes;
  for (let i = 0; i < n; i++) {
    const at = x + (<usize>i << 2);
    if (isFloat) {
      const t = load<f32>(at);
      if (!(t >= 0 && t < limit) || floor(t) != t) return i; // the comparisons are false for NaN
    } else if (load<u32>(at) >= <u32>classes) return i;
  }
  const row = <usize>classes << 2;
  memory.fill(y, 0, <usize>n * row);
  for (; n > 0; n--) {
    const t = isFloat ? <i32>load<f32>(x) : load<i32>(x);
    store<i32>(y + (<usize>t << 2), one);
    x += 4;
    y += row;
  }
  return -1;
}
