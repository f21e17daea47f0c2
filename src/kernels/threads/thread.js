// A worker of the team: compiles nothing, holds nothing. It is told which module, which memory and where the team's control
// block lies, and then stays inside wasm until it is dismissed. Plain JavaScript, since it runs as a file of its own.
const { parentPort } = globalThis.process?.getBuiltinModule?.("node:worker_threads") ?? {};
const port = parentPort ?? globalThis;
port.onmessage = ({ data: { module, memory, team } }) => {
  const { work, fail } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  port.postMessage("ready");
  try {
    work(team);
  } catch (error) {
    fail(team);
    throw error;
  }
  port.close();
};
port.postMessage("loaded");
