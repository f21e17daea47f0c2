// The wasm's bytes as the text that programs carry.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decode } from "../../src/kernels/decode.js";
import { wasm as extra } from "../../src/kernels/generated/extra.js";
import { wasm as core } from "../../src/kernels/generated/strict.js";

const { encode } = (await import("../../assembly/encode.mjs" as string)) as { encode(bytes: Uint8Array): string };

test("the text of a file holds its bytes, every value of a byte among them", () => {
  const file = readFileSync(new URL("../../src/kernels/generated/strict.wasm", import.meta.url));
  expect(new Set(file).size).toBe(256);
  expect(Buffer.from(decode(encode(file))).equals(file)).toBe(true);
});

test.each([
  ["core", core],
  ["second", extra],
])("the text of the %s module stands in quotes and in a page as it is, and is a module", (_, text) => {
  expect(text).toMatch(/^[#-[\]-~]+(![#-[\]-~]+){2}$/);
  expect(text).not.toMatch(/<\/script|<!--/);
  expect(WebAssembly.validate(decode(text))).toBe(true);
});
