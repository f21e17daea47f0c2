// Messages between the bench and its peers, in processes or in browsers: JSON, typed arrays as base64.

const KINDS = { f32: Float32Array, i32: Int32Array };

export function encode(message) {
  return JSON.stringify(message, (_, value) => {
    for (const [kind, Type] of Object.entries(KINDS)) if (value instanceof Type) return { [kind]: toBase64(value) };
    return value;
  });
}

export function decode(text) {
  return JSON.parse(text, (_, value) => {
    for (const [kind, Type] of Object.entries(KINDS))
      if (typeof value?.[kind] === "string") return new Type(fromBase64(value[kind]).buffer);
    return value;
  });
}

function toBase64({ buffer, byteOffset, byteLength }) {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  // In pieces, because a call takes only so many arguments.
  const pieces = [];
  for (let i = 0; i < bytes.length; i += 8192) pieces.push(String.fromCharCode(...bytes.subarray(i, i + 8192)));
  return btoa(pieces.join(""));
}

function fromBase64(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}
