// The wasm's bytes as the text that programs carry.
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { decode, decodePlainly } from "../../src/kernels/decode.js";
import { wasm as extra } from "../../src/kernels/generated/extra.js";
import { wasm as core } from "../../src/kernels/generated/strict.js";

const { encode } = (await import("../../assembly/encode.mjs" as string)) as { encode(bytes: Uint8Array): string };

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe.each([
  ["wasm", decode],
  ["JavaScript", decodePlainly],
])("decoded by %s", (_, decode) => {
  test("the text of a file holds its bytes, every value of a byte among them", () => {
    const file = readFileSync(new URL("../../src/kernels/generated/strict.wasm", import.meta.url));
    expect(new Set(file).size).toBe(256);
    expect(Buffer.from(decode(encode(file))).equals(file)).toBe(true);
  });

  test("any bytes come back, those that change between texts among them", () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => Math.imul(i ^ (i >>> 7), 0x9e3779b1) >>> 24);
    const marks = [0xfd, 0x00, 0x0b, 0x0c, 0x1f, 0x20, 0x22, 0x23];
    const often = bytes.map((byte) => (byte < 128 ? marks[byte % marks.length]! : byte));
    for (const all of [bytes, often, bytes.slice(0, 1), bytes.slice(0, 0)]) {
      expect(Buffer.from(decode(encode(all))).equals(all)).toBe(true);
    }
  });
});

test("where there is no TextEncoder, as in a bare context, JavaScript decodes", () => {
  const encodeInto = vi.spyOn(TextEncoder.prototype, "encodeInto");
  const bytes = decode(core).slice();
  expect(encodeInto).toHaveBeenCalledTimes(1);
  vi.stubGlobal("TextEncoder", undefined);
  expect(decode(core)).toEqual(bytes);
  expect(encodeInto).toHaveBeenCalledTimes(1);
});

test.each([
  ["core", core],
  ["second", extra],
])("the text of the %s module stands in quotes and in a page as it is, and is a module", (_, text) => {
  expect(text).toMatch(/^[#-[\]-~]+(![#-[\]-~]+){2}$/);
  expect(text).not.toMatch(/<\/script|<!--/);
  expect(WebAssembly.validate(decode(text))).toBe(true);
});
