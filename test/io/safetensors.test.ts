// safetensors: round trips, files by another writer, and hostile files, which are refused before anything is allocated.
import { describe, expect, test } from "vitest";
import { manualSeed, memory, randn, scope, tensor, zeros } from "../../src/index.js";
import { decodeSafetensors, encodeSafetensors } from "../../src/io/index.js";
import { buffer, Linear, Module, ReLU, Sequential } from "../../src/nn/index.js";

/** A file written by hand, independent of the encoder: header text (or object), then data. */
function file(header: unknown, data: ArrayLike<number> = [], claimed?: bigint): Uint8Array {
  const text = Buffer.isBuffer(header)
    ? header
    : Buffer.from(typeof header === "string" ? header : JSON.stringify(header), "utf8");
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(text.length));
  return new Uint8Array(Buffer.concat([length, text, Buffer.from(Uint8Array.from(data))]));
}

/** Little-endian bytes, written by DataView. */
function bytes(kind: "Float32" | "Int32", values: readonly number[]): number[] {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((v, i) => void view[`set${kind}`](4 * i, v, true));
  return [...new Uint8Array(view.buffer)];
}

const f32 = (shape: unknown, from: unknown, to: unknown) => ({ dtype: "F32", shape, data_offsets: [from, to] });

describe("round trip", () => {
  test("every dtype and shape, bit for bit, with metadata", () => {
    const special = new Float32Array([Number.NaN, -0, Number.POSITIVE_INFINITY, 1e-45, 16777217]);
    const tensors = {
      special: tensor(special),
      "layers.0.weight": randn([3, 5]),
      scalar: tensor(-2.5),
      empty: zeros([0, 4]),
      labels: tensor(new Int32Array([-2147483648, 2147483647, 0])),
      mask: tensor([
        [true, false],
        [false, true],
      ]),
      "weights/ß→日本": zeros([1]),
    };
    const { tensors: back, metadata } = decodeSafetensors(encodeSafetensors(tensors, { format: "pt", note: 'ß\n"' }));
    expect(Object.keys(back)).toEqual(Object.keys(tensors));
    for (const [name, x] of Object.entries(tensors)) {
      expect([name, back[name]!.dtype, back[name]!.shape]).toEqual([name, x.dtype, x.shape]);
      expect(Buffer.from(back[name]!.toTypedArray().buffer)).toEqual(Buffer.from(x.toTypedArray().buffer));
    }
    expect(metadata).toEqual({ format: "pt", note: 'ß\n"' });
    expect(decodeSafetensors(encodeSafetensors({}))).toEqual({ tensors: {}, metadata: {} });
  });

  test("a model, with its buffers", () => {
    class Net extends Module {
      layers = new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2));
      mean = buffer(zeros([3]));
      cache = buffer(zeros([3]), { persistent: false });
      forward(x: never) {
        return this.layers.forward(x);
      }
    }
    manualSeed(1);
    const [a, b] = [new Net(), new Net()];
    a.mean.fill(7);
    b.loadStateDict(decodeSafetensors(encodeSafetensors(a.stateDict())).tensors);
    const values = (m: Net) => Object.entries(m.stateDict()).map(([name, x]) => [name, x.toArray()]);
    expect(values(b)).toEqual(values(a));
  });

  test("what is decoded is a copy, and belongs to the scope that decoded it", () => {
    const written = encodeSafetensors({ x: tensor([1, 2]) });
    const { tensors } = decodeSafetensors(written);
    written.fill(0);
    expect(tensors.x!.toArray()).toEqual([1, 2]);
    const again = encodeSafetensors({ x: tensor([1, 2]) });
    const before = memory();
    scope(() => void decodeSafetensors(again));
    expect(memory()).toMatchObject({ bytes: before.bytes, tensors: before.tensors });
  });

  test("names that objects have a use for", () => {
    const tensors = Object.fromEntries(
      ["__proto__", "constructor", "toString", "", "__metadata"].map((n, i) => [n, tensor([i])]),
    );
    expect(Object.keys(tensors)).toContain("__proto__");
    const { tensors: back } = decodeSafetensors(encodeSafetensors(tensors));
    expect(Object.keys(back)).toEqual(Object.keys(tensors));
    for (const name of Object.keys(tensors)) {
      const x = Object.getOwnPropertyDescriptor(back, name)!.value;
      expect(x.toArray()).toEqual(Object.getOwnPropertyDescriptor(tensors, name)!.value.toArray());
    }
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  test("the encoder refuses what the format cannot hold", () => {
    const gone = zeros([2]);
    gone.dispose();
    expect(() => encodeSafetensors({ x: [1] as never })).toThrow(/encodeSafetensors: x must be a tensor/);
    expect(() => encodeSafetensors({ x: gone })).toThrow(/released/);
    expect(() => encodeSafetensors({ __metadata__: zeros([1]) })).toThrow(/cannot be named "__metadata__"/);
    expect(() => encodeSafetensors({}, { version: 1 as never })).toThrow(/metadata must be text: version is 1/);
    expect(() => encodeSafetensors([zeros([1])] as never)).toThrow(/tensors must be an object/);
    expect(() => encodeSafetensors(new Linear(1, 1) as never)).toThrow(/must be a tensor/);
    expect(() => encodeSafetensors(null as never)).toThrow(/encodeSafetensors: tensors must be an object .*got null/);
  });
});

describe("layout", () => {
  test("as the format says: length, JSON, data in order, aligned to 8 bytes", () => {
    const written = encodeSafetensors({
      b: tensor([1.5]),
      a: tensor([true, false, true]),
      c: tensor(new Int32Array([-1])),
    });
    const view = new DataView(written.buffer, written.byteOffset);
    const length = Number(view.getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const text = Buffer.from(written.subarray(8, 8 + length)).toString("utf8");
    expect(text[0]).toBe("{");
    const header = JSON.parse(text) as Record<
      string,
      { dtype: string; shape: number[]; data_offsets: [number, number] }
    >;
    expect(Object.values(header).every(({ data_offsets: [from, to] }) => from <= to)).toBe(true);
    const data = (name: string) => [
      ...written.subarray(8 + length + header[name]!.data_offsets[0], 8 + length + header[name]!.data_offsets[1]),
    ];
    expect([header.b!.dtype, header.b!.shape, data("b")]).toEqual(["F32", [1], [0, 0, 0xc0, 0x3f]]);
    expect([header.a!.dtype, header.a!.shape, data("a")]).toEqual(["BOOL", [3], [1, 0, 1]]);
    expect([header.c!.dtype, header.c!.shape, data("c")]).toEqual(["I32", [1], [255, 255, 255, 255]]);
    const ends = Object.values(header).map((entry) => entry.data_offsets[1]);
    expect(Math.max(...ends)).toBe(written.length - 8 - length);
  });

  test("a file as the reference writer lays it out, padded with spaces", () => {
    const header = '{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}   ';
    const { tensors, metadata } = decodeSafetensors(file(header, bytes("Float32", [1, -2])));
    expect(tensors.w!.toArray()).toEqual([1, -2]);
    expect(metadata).toEqual({ format: "pt" });
  });
});

describe("files by another writer", () => {
  const header = {
    late: { data_offsets: [9, 17], shape: [1, 2], dtype: "F32" },
    flags: { dtype: "BOOL", shape: [5], data_offsets: [4, 9] },
    none: { dtype: "F32", shape: [3, 0], data_offsets: [9, 9] },
    first: { dtype: "I32", shape: [], data_offsets: [0, 4] },
  };
  const data = [...bytes("Int32", [-7]), 1, 0, 2, 0, 1, ...bytes("Float32", [0.5, -1.5])];
  const check = (given: Uint8Array) => {
    const { tensors } = decodeSafetensors(given);
    expect(Object.keys(tensors)).toEqual(["late", "flags", "none", "first"]);
    expect([tensors.late!.shape, tensors.late!.toArray()]).toEqual([[1, 2], [[0.5, -1.5]]]);
    expect(tensors.flags!.toArray()).toEqual([true, false, true, false, true]);
    expect(tensors.none!.shape).toEqual([3, 0]);
    expect([tensors.first!.dtype, tensors.first!.item()]).toEqual(["i32", -7]);
  };

  test("any order of tensors, unaligned data, headers of any length", () => {
    for (let spaces = 0; spaces < 9; spaces++) check(file(JSON.stringify(header) + " ".repeat(spaces), data));
    check(file(JSON.stringify(header, null, 2), data));
  });

  test("views on other memory: Node Buffers with a byteOffset, subarrays", () => {
    const plain = file(header, data);
    for (const offset of [1, 3, 8]) {
      const around = Buffer.alloc(plain.length + 20, 0xff);
      around.set(plain, offset);
      check(around.subarray(offset, offset + plain.length));
      check(new Uint8Array(around.buffer, around.byteOffset + offset, plain.length));
    }
    check(Buffer.from(plain));
  });
});

describe("hostile files", () => {
  const four = [0, 0, 128, 63];
  const ok = f32([1], 0, 4);
  const huge = 2 ** 53 - 1;
  const hostile: [string, Uint8Array, RegExp][] = [
    ["nothing", new Uint8Array(0), /has 0 bytes, too few/],
    ["less than a length", new Uint8Array(7), /has 7 bytes, too few/],
    ["a length beyond the file", file({ a: ok }, four, 1000n), /header claims 1000 bytes, the file has/],
    ["a length of 2^64 - 1", file({ a: ok }, four, 2n ** 64n - 1n), /header claims 18446744073709552000 bytes/],
    ["a length of 2^63", file({ a: ok }, four, 2n ** 63n), /header claims/],
    ["a header of no bytes", file("", []), /header is no JSON/],
    ["no JSON", file("{a: 1}"), /header is no JSON/],
    ["JSON cut off", file('{"a":{"dtype":"F32"'), /header is no JSON/],
    ["JSON that goes on", file('{"a":1}{', four), /header is no JSON/],
    ["a name that is no UTF-8", file(Buffer.from(JSON.stringify({ "\xff": ok }), "latin1"), four), /header is no JSON/],
    ["no UTF-8", file("{}", four, 3n), /header is no JSON/],
    ["nesting without end", file("[".repeat(200000)), /header/],
    [
      "a shape nested without end",
      file(`{"a":{"dtype":"F32","shape":${"[".repeat(50000)}${"]".repeat(50000)},"data_offsets":[0,4]}}`, four),
      /shape must hold sizes: got \[\[\[an array of 1\]\]\]/,
    ],
    ["a name of a million letters", file({ ["n".repeat(1e6)]: 5 }), /^decodeSafetensors: "nnn.*"…: its entry/],
    ["a dtype of a million letters", file({ a: { ...ok, dtype: "F".repeat(1e6) } }, four), /dtype "FFF.*… is none of/],
    ["a million quotes", file(`{"${'\\\\\\"'.repeat(1e6)}":5}`), /its entry must be an object/],
    ["an array", file([1]), /header must be an object: got \[1\]/],
    ["null", file("null"), /header must be an object: got null/],
    ["a number", file("5"), /header must be an object: got 5/],
    ["an entry that is none", file({ a: 5 }), /"a": its entry must be an object: got 5/],
    ["an entry that is null", file({ a: null }), /"a": its entry must be an object: got null/],
    ["no fields", file({ a: {} }), /"a": dtype undefined is none of F32, I32, BOOL/],
    ["an unknown dtype", file({ a: { ...ok, dtype: "F8" } }, four), /dtype "F8" is none of/],
    ["a dtype of Object's", file({ a: { ...ok, dtype: "constructor" } }, four), /dtype "constructor" is none of/],
    ["a dtype that is no text", file({ a: { ...ok, dtype: ["F32"] } }, four), /dtype \["F32"\] is none of/],
    ["no shape", file({ a: f32(undefined, 0, 4) }, four), /shape must hold sizes: got undefined/],
    ["a shape that is a number", file({ a: f32(1, 0, 4) }, four), /shape must hold sizes: got 1/],
    ["a shape like an array", file({ a: f32({ 0: 1, length: 1 }, 0, 4) }, four), /shape must hold sizes: got a Object/],
    ["a negative size", file({ a: f32([-1], 0, 4) }, four), /shape must hold sizes: got \[-1\]/],
    ["two negative sizes", file({ a: f32([-1, -1], 0, 4) }, four), /shape must hold sizes/],
    ["a fractional size", file({ a: f32([0.5, 2], 0, 4) }, four), /shape must hold sizes: got \[0.5,2\]/],
    ["a size as text", file({ a: f32(["1"], 0, 4) }, four), /shape must hold sizes: got \["1"\]/],
    [
      "a size of 1e400",
      file('{"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,4]}}', four),
      /shape must hold sizes/,
    ],
    ["a gigantic shape, tiny data", file({ a: f32([huge, huge], 0, 4) }, four), /takes .* bytes, the file gives it 4/],
    [
      "a shape whose product wraps in 32 bits",
      file({ a: f32([65536, 65536, 1], 0, 4) }, four),
      /takes 17179869184 bytes/,
    ],
    [
      "a shape whose product is lost in rounding",
      file({ a: f32([huge, 2], 0, 0) }),
      /takes .* bytes, the file gives it 0/,
    ],
    ["a gigantic shape with a 0 in it", file({ a: f32([...Array(30).fill(huge), 0], 0, 4) }, four), /takes/],
    [
      "too small a shape",
      file({ a: f32([1], 0, 8) }, [...four, ...four]),
      /shape \[1\] takes 4 bytes, the file gives it 8/,
    ],
    ["too large a shape", file({ a: f32([2], 0, 4) }, four), /shape \[2\] takes 8 bytes, the file gives it 4/],
    ["no offsets", file({ a: f32([1], undefined, undefined) }, four), /data_offsets must be two positions/],
    [
      "one offset",
      file({ a: { dtype: "F32", shape: [1], data_offsets: [4] } }, four),
      /data_offsets must be two positions: got \[4\]/,
    ],
    ["three offsets", file({ a: { dtype: "F32", shape: [1], data_offsets: [0, 4, 4] } }, four), /two positions/],
    ["negative offsets", file({ a: f32([1], -4, 0) }, four), /data_offsets must be two positions: got \[-4,0\]/],
    ["fractional offsets", file({ a: f32([1], 0.5, 4.5) }, four), /two positions: got \[0.5,4.5\]/],
    ["offsets as text", file({ a: f32([1], "0", "4") }, four), /two positions: got \["0","4"\]/],
    ["an end before the start", file({ a: f32([1], 4, 0) }, four), /bytes 4 to 0 lie outside/],
    ["an end beyond the file", file({ a: f32([2], 0, 8) }, four), /bytes 0 to 8 lie outside the 4 of the file/],
    ["a start beyond the file", file({ a: f32([1], 2 ** 40, 2 ** 40 + 4) }, four), /lie outside/],
    ["the same bytes twice", file({ a: ok, b: ok }, four), /"b": its bytes begin at 0, those before it end at 4/],
    [
      "overlapping bytes",
      file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, [...four, ...four, ...four]),
      /"b": its bytes begin at 4/,
    ],
    [
      "one within another",
      file({ a: f32([3], 0, 12), b: f32([1], 4, 8) }, [...four, ...four, ...four]),
      /"b": its bytes begin at 4/,
    ],
    [
      "a gap",
      file({ a: ok, b: f32([1], 8, 12) }, [...four, ...four, ...four]),
      /"b": its bytes begin at 8, those before it end at 4/,
    ],
    ["a hole at the beginning", file({ a: f32([1], 4, 8) }, [...four, ...four]), /"a": its bytes begin at 4/],
    ["data that nobody claims", file({ a: ok }, [...four, ...four]), /tensors take 4 bytes, the file holds 8/],
    ["data and no tensor", file({}, four), /tensors take 0 bytes, the file holds 4/],
    [
      "the same name twice",
      file(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        four,
      ),
      /the name "a" appears twice/,
    ],
    [
      "a name twice, written differently",
      file(
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        four,
      ),
      /the name "a" appears twice/,
    ],
    [
      "a field twice",
      file('{"a":{"dtype":"F32","shape":[9],"shape":[1],"data_offsets":[0,4]}}', four),
      /the name "shape" appears twice/,
    ],
    ["metadata that is no text", file({ __metadata__: { n: 1 }, a: ok }, four), /__metadata__ must hold texts/],
    ["metadata that is an array", file({ __metadata__: ["x"], a: ok }, four), /__metadata__ must hold texts/],
    ["metadata that is null", file('{"__metadata__":null}'), /__metadata__ must hold texts/],
    [
      "a prototype with a wrong entry",
      file('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}', four),
      /"__proto__": bytes 0 to 8/,
    ],
    [
      "fields from a prototype",
      file('{"a":{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}', four),
      /"a": dtype undefined/,
    ],
    [
      "a class name to print",
      file('{"a":{"dtype":{"constructor":{"name":{"toString":1}}}}}'),
      /"a": dtype an object is none of/,
    ],
    [
      "wrong in the last of many",
      file(
        {
          ...Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`t${i}`, f32([1], 4 * i, 4 * i + 4)])),
          z: f32([1], 200, 208),
        },
        new Uint8Array(208),
      ),
      /"z": shape \[1\] takes 4 bytes/,
    ],
  ];

  test.each(hostile)("%s", (_, given, message) => {
    const before = memory();
    let error: unknown;
    try {
      decodeSafetensors(given);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toMatch(/^decodeSafetensors: /);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message.length).toBeLessThan(400);
    expect(memory()).toEqual(before);
    expect(({} as { dtype?: unknown }).dtype).toBeUndefined();
  });

  test("every cut of a good file, and every byte of its header changed, is an error or a file: never a crash, never memory", () => {
    const good = encodeSafetensors(
      { a: tensor([1, 2]), b: tensor([true]), c: tensor(new Int32Array([3])) },
      { k: "v" },
    );
    const before = memory();
    const headerEnd = 8 + Number(new DataView(good.buffer).getBigUint64(0, true));
    for (let end = 0; end < good.length; end++) {
      expect(() => decodeSafetensors(good.subarray(0, end))).toThrow(/^decodeSafetensors: /);
    }
    for (let at = 0; at < headerEnd; at++) {
      for (const flip of [1, 2, 4, 16, 128]) {
        const changed = good.slice();
        changed[at]! ^= flip;
        scope(() => {
          try {
            decodeSafetensors(changed);
          } catch (error) {
            expect((error as Error).message).toMatch(/^decodeSafetensors: /);
          }
        });
      }
    }
    expect(memory()).toMatchObject({ bytes: before.bytes, tensors: before.tensors });
  });

  test("what is no file at all", () => {
    for (const [value, message] of [
      [undefined, /takes a Uint8Array: got undefined/],
      ["text", /takes a Uint8Array: got "text"/],
      [new ArrayBuffer(8), /takes a Uint8Array: got a ArrayBuffer/],
      [[1, 2], /takes a Uint8Array/],
    ] as const)
      expect(() => decodeSafetensors(value as never)).toThrow(message);
  });
});
