// Runs one peer (argv[2], a module of peers/) in a process of its own, at the command of the bench.
//
// A line comes in on stdin, { id, method, params }; one goes out on descriptor 3, { id, result } or { id, error }.
// Descriptor 3, because libraries like to print banners on stdout.
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { decode, encode } from "./wire.mjs";

let peer;
let task;
const methods = {
  async open(spec) {
    // Imported here, so that a library that does not load is an answer too.
    peer ??= await import(process.argv[2]);
    await task?.close?.();
    task = await peer.open(spec);
    return { version: peer.version };
  },
  check: () => task.check(),
  run: (repetitions) => task.run(repetitions),
};
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = decode(line);
  let reply;
  try {
    reply = { id, result: await methods[method](params) };
  } catch (error) {
    reply = { id, error: String(error?.message ?? error) };
  }
  writeSync(3, encode(reply));
}
