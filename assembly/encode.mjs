// A module's bytes as text that gzips to less than the file does (31.5 KB become 27.7, where hex gives 34.9 and base64
// 42.7). src/kernels/decode.ts reads it.
//
// The bytes behind each local.get, local.set and local.tee (0x20 to 0x22) stand at the end, after a "!": these numbers of
// variables are a sixth of the module and as good as random, and without them the code repeats itself more. That takes no
// reading of the code: a byte goes to the end if the byte before it did not and is one of the three, whatever either means.
//
// A byte is printed from the 91 characters from # to ~ without \, so that the text stands between quotes as it is: as one
// character if it is from -4 to 84, as most of wasm's are (252 to 255 are -4 to -1), else as two, the first # or $. The
// same bytes are the same text wherever they stand, as gzip needs.

const character = (index) => String.fromCharCode(35 + index + (index < 57 ? 0 : 1));

export function encode(bytes) {
  const texts = ["", ""];
  let local = 0;
  for (const byte of bytes) {
    const b = (byte + 4) & 255;
    texts[local] += b < 89 ? character(b + 2) : character(b < 180 ? 0 : 1) + character((b - 89) % 91);
    local = local === 0 && byte >= 0x20 && byte <= 0x22 ? 1 : 0;
  }
  return texts.join("!");
}
