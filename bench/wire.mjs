// Messages between the bench and its peers' processes: one line of JSON each, typed arrays as base64.

const KINDS = { f32: Float32Array, i32: Int32Array };

export function encode(message) {
  return `${JSON.stringify(message, (_, value) => {
    for (const [kind, Type] of Object.entries(KINDS))
      if (value instanceof Type)
        return { [kind]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
    return value;
  })}\n`;
}

export function decode(line) {
  return JSON.parse(line, (_, value) => {
    // Copied, because a small Buffer begins anywhere within Node's shared pool, and a Float32Array needs 4-byte alignment.
    for (const [kind, Type] of Object.entries(KINDS))
      if (typeof value?.[kind] === "string") return new Type(new Uint8Array(Buffer.from(value[kind], "base64")).buffer);
    return value;
  });
}
