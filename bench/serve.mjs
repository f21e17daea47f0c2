// A peer's side of the protocol, for processes (host.mjs) and pages (browser.mjs) alike.
//
// A request is { id, method, params }, its reply { id, result } or { id, error }. The methods, in the order of their calls:
// `start` (once, with the peer's settings), `open` with a task's spec, and of the open task `check` and `run`.
import { decode, encode } from "./wire.mjs";

/** Replies to requests with the peer that `load` imports; a library that does not load is an answer too. */
export function server(load) {
  let peer;
  let task;
  const methods = {
    async start(settings) {
      peer = await load();
      return peer.start?.(settings);
    },
    async open(spec) {
      await task?.close?.();
      task = undefined; // so that a spec that is refused leaves nothing to be timed in its place
      task = await peer.open(spec);
    },
    check: () => task.check(),
    run: (repetitions) => task.run(repetitions),
  };
  return async (text) => {
    const { id, method, params } = decode(text);
    try {
      return encode({ id, result: await methods[method](params) });
    } catch (error) {
      return encode({ id, error: String(error?.message ?? error) });
    }
  };
}
