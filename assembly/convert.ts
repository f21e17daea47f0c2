// Conversions between element types, n elements each; y may equal x.

export function intToFloat(x: usize, y: usize, n: i32): void {
  let i = 0;
  for (; i <= n - 4; i += 4) {
    const at = <usize>i << 2;
    v128.store(y + at, f32x4.convert_i32x4_s(v128.load(x + at)));
  }
  for (; i < n; i++) {
    const at = <usize>i << 2;
    store<f32>(y + at, <f32>load<i32>(x + at));
  }
}

/** Towards zero; saturates at the ends of the range; NaN gives 0. */
export function floatToInt(x: usize, y: usize, n: i32): void {
  let i = 0;
  for (; i <= n - 4; i += 4) {
    const at = <usize>i << 2;
    v128.store(y + at, i32x4.trunc_sat_f32x4_s(v128.load(x + at)));
  }
  for (; i < n; i++) {
    const at = <usize>i << 2;
    store<i32>(y + at, i32x4.extract_lane(i32x4.trunc_sat_f32x4_s(f32x4.splat(load<f32>(x + at))), 0));
  }
}

/** 1 where x is not 0 (NaN is not), else 0. */
export function floatToBool(x: usize, y: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const at = <usize>i << 2;
    store<i32>(y + at, i32(load<f32>(x + at) != 0));
  }
}

export function intToBool(x: usize, y: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const at = <usize>i << 2;
    store<i32>(y + at, i32(load<i32>(x + at) != 0));
  }
}
