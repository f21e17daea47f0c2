// Undoes encode.mjs. A module of its own, which the host runs once for each text of kernels: ten times as fast as the loop
// of src/kernels/decode.ts, which engines interpret.

/** Index of the character at an address. */
@inline
function indexAt(at: usize): i32 {
  const code = <i32>load<u8>(at);
  return code - 35 - i32(code > 92);
}

/**
 * The byte at `at` is written to `out`; gives what follows it. A function of its own, since engines would
 * find the loop worth optimizing if it were longer.
 */
function copyByte(at: usize, out: usize): usize {
  let index = indexAt(at++);
  if (index < 2) index = 91 * (index + 1) + indexAt(at++);
  store<u8>(out, index - 6);
  return at;
}

/**
 * Decodes the three texts at `code`, `locals` and `offsets` (the first ends with "!") to `out`, and gives where the bytes end.
 * The two bytes before `out` must not be 0xfd.
 */
export function decode(code: usize, locals: usize, offsets: usize, out: usize): usize {
  while (load<u8>(code) != 33) {
    code = copyByte(code, out);
    const byte = load<u8>(out++);
    if (<u8>(byte - 0x20) <= 2) locals = copyByte(locals, out++);
    else if (load<u8>(out - 3) == 0xfd && load<u8>(out - 2) <= 0x0b) offsets = copyByte(offsets, out++);
  }
  return out;
}
