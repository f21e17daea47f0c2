// The progress line of a training: rewritten in place on a terminal, plain lines elsewhere.
import type { BatchEvent, Callback, EpochResult, Training } from "./events.js";

/** What a line tells. */
export interface Progress {
  readonly epoch: number;
  readonly epochs: number;
  /** Batches done of this epoch. */
  readonly batch: number;
  /** Batches of an epoch; 0 where the loader has no length. */
  readonly batches: number;
  /** Means so far, by name: loss first. */
  readonly values: Readonly<Record<string, number>>;
  /** Seconds since the epoch began. */
  readonly seconds: number;
  /** Batches of the epochs to come. */
  readonly remaining: number;
}

/** What of a terminal is used, so that nothing of Node is needed. */
interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const barWidth = 20;

/** `12.3s`, `4m05s`, `1h02m`. */
export function showSeconds(seconds: number): string {
  if (seconds < 59.5) return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)}s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}m${String(whole % 60).padStart(2, "0")}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
}

const showValue = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(2) : value.toFixed(4);

const showValues = (values: Readonly<Record<string, number>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${showValue(value)}`)
    .join("  ");

/** `epoch  3/20 ━━━━━━━━━╸          12/23  loss 0.1234  accuracy 0.9612  310 batches/s  ETA 2.1s` */
export function progressLine(p: Progress): string {
  const digits = String(p.epochs).length;
  // A loader's length may be unknown, or less than what it gives.
  const known = p.batches > 0;
  const filled = known ? Math.min(barWidth, Math.round((barWidth * p.batch) / p.batches)) : 0;
  const bar = known ? `${"━".repeat(filled)}${" ".repeat(barWidth - filled)} ${p.batch}/${p.batches}` : `${p.batch}`;
  const rate = p.seconds > 0 ? p.batch / p.seconds : 0;
  const ahead = Math.max(0, p.batches - p.batch) + p.remaining;
  const left = known && rate > 0 ? `  ETA ${showSeconds(ahead / rate)}` : "";
  return `epoch ${String(p.epoch).padStart(digits)}/${p.epochs} ${bar}  ${showValues(p.values)}  ${rate.toFixed(rate < 10 ? 1 : 0)} batches/s${left}`;
}

/** Writes the lines: at most ten a second on a terminal, one an epoch elsewhere. */
export class ProgressWriter {
  private readonly terminal: Terminal | undefined;
  private readonly live: boolean;
  private last = 0;
  /** Whether the cursor stands behind a line that is still to be rewritten. */
  private open = false;

  constructor(terminal?: Terminal) {
    const found = terminal ?? (globalThis as { process?: { stdout?: Terminal } }).process?.stdout;
    this.terminal = typeof found?.write === "function" ? found : undefined;
    this.live = this.terminal?.isTTY === true;
  }

  batch(p: Progress): void {
    if (!this.live) return;
    const now = Date.now();
    if (now - this.last < 100) return;
    this.last = now;
    this.rewrite(progressLine(p));
  }

  /** The epoch's last line, with the validation's values. */
  epoch(p: Progress, validation: Readonly<Record<string, number>> | undefined): void {
    const digits = String(p.epochs).length;
    const text =
      `epoch ${String(p.epoch).padStart(digits)}/${p.epochs}  ${showValues(p.values)}` +
      (validation === undefined ? "" : `  |  validation ${showValues(validation)}`) +
      `  ${showSeconds(p.seconds)}`;
    if (this.live) this.rewrite(`${text}\n`);
    else if (this.terminal !== undefined) this.terminal.write(`${text}\n`);
    else console.log(text);
  }

  /** Leaves an unfinished line as it stands, so that what is printed next begins its own. */
  close(): void {
    if (this.open) this.terminal!.write("\n");
    this.open = false;
  }

  private rewrite(text: string): void {
    const width = this.terminal!.columns ?? 0;
    // A line longer than the terminal would wrap and could not be rewritten.
    const shown = width > 0 && !text.endsWith("\n") && text.length >= width ? text.slice(0, width - 1) : text;
    this.terminal!.write(`\r\x1b[2K${shown}`);
    this.open = !text.endsWith("\n");
  }
}

/** Shows progress: on a terminal a line that is rewritten, elsewhere (in a pipe, a page) a plain line an epoch. */
export class ProgressBar implements Callback {
  private readonly writer: ProgressWriter;
  private last: Progress | null = null;

  /** @param terminal what to write to; default the process's standard output, else the console. */
  constructor(terminal?: Terminal) {
    this.writer = new ProgressWriter(terminal);
  }

  onBatch(event: BatchEvent): void {
    const { epoch, epochs, batch, batches, values, seconds } = event;
    this.last = { epoch, epochs, batch, batches, values, seconds, remaining: (epochs - epoch) * batches };
    this.writer.batch(this.last);
  }

  onEpoch({ training, validation, seconds }: EpochResult, { epochs, history }: Training): void {
    const epoch = history.at(-1)!.epoch;
    const base = this.last ?? { batch: 0, batches: 0, remaining: 0 };
    this.writer.epoch({ ...base, epoch, epochs, values: training, seconds }, validation);
  }

  onEnd(): void {
    this.close();
  }

  /** Ends a line that is still to be rewritten. */
  close(): void {
    this.writer.close();
  }
}
