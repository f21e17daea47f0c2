// ONNX Runtime, inference only: a graph of MatMul nodes, in its wasm build (onnxruntime-web) or native (onnxruntime-node).
//
// A run copies its inputs and outputs in and out, so several products are chained in one graph, each taking the one before
// it as its left operand. Both operands are inputs: a constant right operand would be packed ahead of time.
const build = process.env.BUILD;
const { InferenceSession, env, Tensor } = await import(build).then((m) => m.default ?? m);
if (build === "onnxruntime-web") env.wasm.numThreads = 1;

export const version = `${build} ${env.versions[build === "onnxruntime-web" ? "web" : "node"]}`;

export async function open({ kind, n, layout, a, b, probes }) {
  if (kind !== "matmul") throw new Error("onnxruntime does not train");
  if (layout !== "NN") throw new Error("an ONNX MatMul takes no transposed operand");
  const chain = n >= 512 ? 2 : 8;
  const options = {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    ...(build === "onnxruntime-web" && { executionProviders: ["wasm"] }),
  };
  const [one, many] = await Promise.all([1, chain].map((count) => InferenceSession.create(model(n, count), options)));
  const feeds = { a: new Tensor("float32", a, [n, n]), b: new Tensor("float32", b, [n, n]) };
  return {
    check: async () => {
      const { y } = await one.run(feeds);
      return probes.map((at) => y.data[at]);
    },
    run: async (repetitions) => {
      const runs = Math.ceil(repetitions / chain);
      const start = performance.now();
      for (let i = 0; i < runs; i++) await many.run(feeds);
      return ((performance.now() - start) * repetitions) / (runs * chain);
    },
    close: () => Promise.all([one.release(), many.release()]),
  };
}

/** An ONNX file, y = a b b ... b with `count` products: the few protobuf messages of onnx.proto that this takes. */
function model(n, count) {
  const nodes = Array.from({ length: count }, (_, i) =>
    message(1, [
      text(1, i ? `t${i}` : "a"),
      text(1, "b"),
      text(2, i === count - 1 ? "y" : `t${i + 1}`),
      text(4, "MatMul"),
    ]),
  );
  const dimension = message(1, [varint(1, n)]);
  // ValueInfoProto { name, type: { tensor_type: { elem_type: FLOAT, shape } } }
  const value = (field, name) =>
    message(field, [text(1, name), message(2, [message(1, [varint(1, 1), message(2, [dimension, dimension])])])]);
  const graph = [...nodes, text(2, "products"), value(11, "a"), value(11, "b"), value(12, "y")];
  // ModelProto { ir_version: 8, graph, opset_import: { version: 13 } }
  return new Uint8Array([...varint(1, 8), ...message(7, graph), ...message(8, [varint(2, 13)])]);
}

/** Protobuf's base-128 integer: seven bits a byte, the lowest first, the top bit where more follow. */
function base128(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}
const varint = (field, value) => [...base128(field << 3), ...base128(value)];
const bytes = (field, body) => [...base128((field << 3) | 2), ...base128(body.length), ...body];
const text = (field, value) => bytes(field, [...new TextEncoder().encode(value)]);
const message = (field, parts) => bytes(field, parts.flat());
