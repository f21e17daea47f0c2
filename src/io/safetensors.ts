// The safetensors format: 8 bytes of header length, a JSON header { name: { dtype, shape, data_offsets } }, the bytes.
// https://github.com/huggingface/safetensors. A file is hostile until checked: no size in it is believed.
import { describe, rangeError, typeError } from "../error.js";
import { numelOf } from "../shape.js";
import { checkTensor, type DType, type Tensor, tensor } from "../tensor/index.js";

/** Tensors and free text of a file. */
export interface SafeTensors {
  readonly tensors: Record<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const headerLimit = 100 * 1024 * 1024;
const formats: Readonly<
  Record<string, { readonly bytes: number; readonly dtype: DType; read(bytes: Uint8Array): ArrayLike<number> }>
> = {
  F32: { bytes: 4, dtype: "f32", read: (b) => new Float32Array(b.buffer) },
  I32: { bytes: 4, dtype: "i32", read: (b) => new Int32Array(b.buffer) },
  BOOL: { bytes: 1, dtype: "bool", read: (b) => b },
};
const nameOf: Readonly<Record<DType, string>> = { f32: "F32", i32: "I32", bool: "BOOL" };

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * The bytes of a safetensors file that holds these tensors, such as a module's `stateDict()`.
 *
 * @param metadata free text by name.
 * @example
 * import { Linear } from "gradine/nn";
 * import { decodeSafetensors, encodeSafetensors } from "gradine/io";
 * const model = new Linear(3, 2);
 * const bytes = encodeSafetensors(model.stateDict());
 * new Linear(3, 2).loadStateDict(decodeSafetensors(bytes).tensors);
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  for (const [name, value] of Object.entries({ tensors, metadata })) {
    if (!isRecord(value))
      throw typeError("encodeSafetensors", `${name} must be an object { name: … }: got ${describe(value)}`);
  }
  // Without a prototype, so that a tensor may be called "__proto__".
  const header: Record<string, unknown> = Object.create(null);
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== "string")
      throw typeError("encodeSafetensors", `metadata must be text: ${key} is ${describe(value)}`);
  }
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let end = 0;
  const parts: { at: number; bytes: Uint8Array }[] = [];
  for (const [name, x] of Object.entries(tensors)) {
    checkTensor("encodeSafetensors", name, x);
    if (name === "__metadata__") throw rangeError("encodeSafetensors", 'a tensor cannot be named "__metadata__"');
    const data = x.toTypedArray();
    parts.push({ at: end, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
    header[name] = { dtype: nameOf[x.dtype], shape: x.shape, data_offsets: [end, (end += data.byteLength)] };
  }
  let text = encode(JSON.stringify(header));
  // Spaces after the JSON align the data to 8 bytes, as the format asks of writers.
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(32);
  padded.set(text);
  text = padded;
  const file = new Uint8Array(8 + text.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  for (const { at, bytes } of parts) file.set(bytes, 8 + text.length + at);
  return file;
}

/**
 * The tensors of a safetensors file: dtypes F32, I32 and BOOL.
 *
 * @throws RangeError or TypeError that says what is wrong with the file; nothing is allocated before it is checked.
 */
export function decodeSafetensors(file: Uint8Array): SafeTensors {
  const op = "decodeSafetensors";
  if (!(file instanceof Uint8Array)) throw typeError(op, `takes a Uint8Array: got ${describe(file)}`);
  if (file.byteLength < 8) throw rangeError(op, `the file has ${file.byteLength} bytes, too few for a header`);
  const length = Number(new DataView(file.buffer, file.byteOffset, 8).getBigUint64(0, true));
  if (length > headerLimit || length > file.byteLength - 8) {
    throw rangeError(
      op,
      `the header claims ${length} bytes, the file has ${file.byteLength}`,
      "It is cut off, or no safetensors file.",
    );
  }
  const header = parseHeader(op, file.subarray(8, 8 + length));
  const data = file.subarray(8 + length);
  const { __metadata__: metadata = {}, ...entries } = header;
  if (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== "string")) {
    throw typeError(op, "__metadata__ must hold texts by name");
  }
  // All checks first: a file that is wrong in its last tensor makes none.
  const plans = Object.entries(entries).map(([name, entry]) => ({
    name,
    ...checkEntry(op, name, entry, data.byteLength),
  }));
  let end = 0;
  for (const plan of [...plans].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (plan.start !== end)
      throw rangeError(op, `${describe(plan.name)}: its bytes begin at ${plan.start}, those before it end at ${end}`);
    ({ end } = plan);
  }
  if (end !== data.byteLength)
    throw rangeError(op, `the tensors take ${end} bytes, the file holds ${data.byteLength} after its header`);
  const tensors: Record<string, Tensor> = {};
  for (const { name, format, shape, start, end: stop } of plans) {
    // A copy: the numbers need an aligned buffer of their own (and Node's Buffer.slice would not copy).
    const values = format.read(new Uint8Array(data.subarray(start, stop)));
    Object.defineProperty(tensors, name, {
      value: tensor(values as Float32Array, { shape, dtype: format.dtype }),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The first name that an object of this (valid) JSON gives twice: JSON.parse takes the last without a word. */
function repeatedName(text: string): string | undefined {
  /** The names so far of each object that is open; null for an array. */
  const open: (Set<string> | null)[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "{") open.push(new Set());
    else if (c === "[") open.push(null);
    else if (c === "}" || c === "]") open.pop();
    else if (c === '"') {
      const start = i;
      for (i++; text[i] !== '"'; i++) if (text[i] === "\\") i++;
      let next = i + 1;
      while (/\s/.test(text[next] ?? "")) next++;
      if (text[next] !== ":") continue;
      const name: string = JSON.parse(text.slice(start, i + 1));
      const names = open.at(-1)!;
      if (names!.has(name)) return name;
      names!.add(name);
    }
  }
  return undefined;
}

function parseHeader(op: string, bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    throw rangeError(op, `the header is no JSON: ${(error as Error).message}`);
  }
  const repeated = repeatedName(text);
  if (repeated !== undefined) throw rangeError(op, `the name ${describe(repeated)} appears twice in the header`);
  if (!isRecord(header)) throw typeError(op, `the header must be an object: got ${describe(header)}`);
  return header;
}

function checkEntry(op: string, name: string, entry: unknown, available: number) {
  const fail = (what: string) => rangeError(op, `${describe(name)}: ${what}`);
  if (!isRecord(entry)) throw fail(`its entry must be an object: got ${describe(entry)}`);
  const { dtype, shape, data_offsets: offsets } = entry;
  const format = typeof dtype === "string" && Object.hasOwn(formats, dtype) ? formats[dtype] : undefined;
  if (format === undefined) throw fail(`dtype ${describe(dtype)} is none of ${Object.keys(formats).join(", ")}`);
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isCount)) throw fail(`shape must hold sizes: got ${describe(shape)}`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    throw fail(`data_offsets must be two positions: got ${describe(offsets)}`);
  const [start, end] = offsets as [number, number];
  if (start > end || end > available) throw fail(`bytes ${start} to ${end} lie outside the ${available} of the file`);
  if (numelOf(shape) * format.bytes !== end - start)
    throw fail(
      `shape ${describe(shape)} takes ${numelOf(shape) * format.bytes} bytes, the file gives it ${end - start}`,
    );
  return { format, shape: shape as number[], start, end };
}
