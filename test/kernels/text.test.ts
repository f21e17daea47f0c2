// The wasm's bytes as the text that programs carry.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { wasm } from "../../src/kernels/generated/strict.js";
import { bytesFromText } from "../../src/kernels/instantiate.js";

test("the text holds the bytes of the file, every value of a byte among them", () => {
  const file = readFileSync(new URL("../../src/kernels/generated/strict.wasm", import.meta.url));
  expect(new Set(file).size).toBe(256);
  expect(Buffer.from(bytesFromText(wasm)).equals(file)).toBe(true);
});

test("the text stands in quotes and in a page as it is", () => {
  expect(wasm).toMatch(/^[#-[\]-~]+![#-[\]-~]+$/);
  expect(wasm).not.toMatch(/<\/script/);
});
