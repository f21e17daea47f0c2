// A module's bytes as text that gzips to less than the file does (31.5 KB become 27.4, where hex gives 34.9 and base64
// 42.7). assembly/decode.ts reads it, and src/kernels/decode.ts.
//
// It is three texts with "!" between: the code, the numbers of local variables, and the offsets of loads and stores of
// vectors. The latter two are a fifth of the module and as good as random, and without them the code repeats itself more.
// That takes no reading of the code: the byte behind 0x20 to 0x22 (local.get, set, tee) is the number of a variable, and
// behind 0xfd, 0x00 to 0x0b and one more (load or store, its kind, the alignment) stands an offset, whatever they mean.
//
// A byte is printed from the 91 characters from # to ~ without \, so that the text stands between quotes as it is: as one
// character if it is from -4 to 84, as most of wasm's are (252 to 255 are -4 to -1), else as two, the first # or $. The
// same bytes are the same text wherever they stand, as gzip needs.

const character = (index) => String.fromCharCode(35 + index + (index < 57 ? 0 : 1));

export function encode(bytes) {
  const texts = ["", "", ""];
  let text = 0;
  bytes.forEach((byte, n) => {
    const b = (byte + 4) & 255;
    texts[text] += b < 89 ? character(b + 2) : character(b < 180 ? 0 : 1) + character((b - 89) % 91);
    if (text === 0 && byte >= 0x20 && byte <= 0x22) text = 1;
    else text = bytes[n - 2] === 0xfd && bytes[n - 1] <= 0x0b ? 2 : 0;
  });
  return texts.join("!");
}
