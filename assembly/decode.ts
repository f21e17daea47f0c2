// Undoes encode.mjs. A module of its own, which the host runs once for each text of kernels: ten times as fast as
// the loop of src/kernels/decode.ts, which engines interpret.

/** Index of the character at an address; -2 for the "!" between texts. */
@inline
function indexAt(at: usize): i32 {
  const code = <i32>load<u8>(at);
  return code - 35 - i32(code > 92);
}

/**
 * Decodes the three texts at `code`, `locals` and `offsets` (the first ends with "!") to `out`, and gives where the bytes end.
 * The two bytes before `out` must not be 0xfd.
 */
export function decode(code: usize, locals: usize, offsets: usize, out: usize): usize {
  let text = 0;
  while (true) {
    let at = text == 0 ? code : text == 1 ? locals : offsets;
    let index = indexAt(at++);
    if (index < 0) return out;
    if (index < 2) index = 91 * (index + 1) + indexAt(at++);
    if (text == 0) code = at;
    else if (text == 1) locals = at;
    else offsets = at;
    const byte = <u8>(index - 6);
    store<u8>(out, byte);
    if (text == 0 && <u8>(byte - 0x20) <= 2) text = 1;
    else text = load<u8>(out - 2) == 0xfd && load<u8>(out - 1) <= 0x0b ? 2 : 0;
    out++;
  }
}
