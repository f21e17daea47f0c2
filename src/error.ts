// Every error message of the library is put together here:
// `<op>: <what is wrong>: <every value> (<which argument>). <what to do>`.

/** `[2,3]`, as shapes are printed everywhere. */
export const show = (shape: readonly number[]): string => `[${shape.join(",")}]`;

/** A value as it is named in a message: short, one line, whatever it is (it may come from a file). */
export function describe(value: unknown, depth = 0): string {
  if (typeof value === "string")
    return value.length > 64 ? `${JSON.stringify(value.slice(0, 60))}…` : JSON.stringify(value);
  if (typeof value === "function") return `function ${value.name}`;
  if (Array.isArray(value)) {
    if (value.length > 8 || depth > 2) return `an array of ${value.length}`;
    return `[${value.map((item) => describe(item, depth + 1)).join(",")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const name: unknown = value.constructor?.name;
    return typeof name === "string" ? `a ${name}` : "an object";
  }
  return String(value);
}

const compose = (op: string, problem: string, advice?: string) => `${op}: ${problem}.${advice ? ` ${advice}` : ""}`;

/** Shape, axis, index or option value out of its range. */
export function rangeError(op: string, problem: string, advice?: string): RangeError {
  return new RangeError(compose(op, problem, advice));
}

/** Wrong kind of value, or wrong dtype. */
export function typeError(op: string, problem: string, advice?: string): TypeError {
  return new TypeError(compose(op, problem, advice));
}

/** Something outside of the program failed: a file, an engine. */
export function setupError(op: string, problem: string, advice: string, cause: unknown): Error {
  return new Error(compose(op, problem, advice), { cause });
}

/** A released tensor was used: which op made it, what released it, and the way out. */
export class ReleasedTensorError extends ReferenceError {
  constructor(op: string, shape: readonly number[], cause: string) {
    super(
      `tensor ${show(shape)} made by ${op} was released ${cause}. ` +
        "keep() it to hold it longer, detach() it to carry it to the next iteration, or compute it in noGrad().",
    );
    this.name = "ReleasedTensorError";
  }
}

/** The heap is full: what was asked for, what there is, and who holds most of it. */
export class OutOfMemoryError extends RangeError {
  constructor(op: string, asked: number, used: number, limit: number, owners: readonly string[]) {
    super(
      compose(
        op,
        `out of memory: ${showBytes(asked)} asked for, ${showBytes(used)} of ${showBytes(limit)} in use`,
        owners.length > 0
          ? `Biggest owners: ${owners.join("; ")}. Use smaller batches, or release what you keep().`
          : "A tensor cannot be larger than the 4 GiB that wasm addresses.",
      ),
    );
    this.name = "OutOfMemoryError";
  }
}

/** `12.3 MB`: bytes with a unit of 1000. */
export function showBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${value} B` : `${value.toFixed(1)} ${units[unit]}`;
}

/** Rejects option names that the call does not know, by name. */
export function checkOptions(op: string, options: object, known: readonly string[]): void {
  // A value where options belong, such as a rate, would be ignored without a word.
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw typeError(op, `options must be an object: got ${describe(options)}`, `Known options: ${known.join(", ")}.`);
  for (const key in options) {
    if (!known.includes(key)) {
      throw typeError(op, `unknown option ${describe(key)}`, `Known options: ${known.join(", ") || "none"}.`);
    }
  }
}

/** Throws unless `value` is one of the choices; gives it back. */
export function checkChoice<T extends string>(op: string, name: string, value: unknown, choices: readonly T[]): T {
  if (choices.includes(value as T)) return value as T;
  const quoted = choices.map((choice) => `"${choice}"`);
  throw rangeError(op, `${name} must be ${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}: got ${describe(value)}`);
}

/**
 * What options may be, by name. Of a number: its default, the least and the greatest value; of a text: the choices, the
 * default first; of anything else its default alone, or nothing.
 */
export type OptionTable<Options> = { readonly [Name in keyof Options]-?: readonly unknown[] };

/** The options as they are read: those with a default are there. */
export type Settled<Options, Table> = {
  [Name in keyof Options & keyof Table]: Table[Name] extends readonly []
    ? Options[Name]
    : Exclude<Options[Name], undefined>;
};

/** Options checked by a table, and the defaults of those not given; unknown ones are rejected by name. */
export function readOptions<Options extends object, const Table extends OptionTable<Options>>(
  op: string,
  given: Options,
  table: Table,
): Settled<Options, Table> {
  const rows = Object.entries(table) as [string, readonly unknown[]][];
  checkOptions(
    op,
    given,
    rows.map(([name]) => name),
  );
  const read: Record<string, unknown> = {};
  for (const [name, row] of rows) {
    const [initial, low, high] = row;
    const value = (given as Record<string, unknown>)[name] ?? initial;
    if (typeof initial === "number") checkNumber(op, name, value, low as number, high as number);
    else if (typeof initial === "string") checkChoice(op, name, value, row as readonly string[]);
    read[name] = value;
  }
  return read as Settled<Options, Table>;
}

/** A number that must be finite and within [low, high]; gives it back. */
export function checkNumber(op: string, name: string, value: unknown, low = -Infinity, high = Infinity): number {
  if (typeof value !== "number") throw typeError(op, `${name} must be a number: got ${describe(value)}`);
  if (!(value >= low && value <= high) || !Number.isFinite(value)) {
    const bounds = low === Number.MIN_VALUE ? "above 0" : `from ${low} to ${high}`;
    const range = low === -Infinity && high === Infinity ? "finite" : bounds;
    throw rangeError(op, `${name} must be ${range}: got ${value}`);
  }
  return value;
}

/** An integer of at least `low`; gives it back. */
export function checkInteger(op: string, name: string, value: unknown, low = -Infinity, high = Infinity): number {
  if (!Number.isInteger(value)) throw typeError(op, `${name} must be an integer: got ${describe(value)}`);
  return checkNumber(op, name, value, low, high);
}

/** Throws unless a value `fits` what is claimed of it: `checkKind(op, typeof f === "function", "f must be a function", f)`. */
export function checkKind(op: string, fits: boolean, claim: string, value: unknown, where = ""): asserts fits {
  if (!fits) throw typeError(op, `${claim}: got ${describe(value)}${where}`);
}
