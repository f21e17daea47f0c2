// Writes ONNX files: the few protobuf messages of onnx.proto that the bench's graphs take.

/** @typedef {{ op: string, inputs: string[], output: string, attributes?: Record<string, number | number[]> }} Node */

/**
 * A model of one graph.
 * @param {{ nodes: Node[], inputs: Record<string, number[]>, outputs: Record<string, number[]>,
 *   constants?: Record<string, { shape: number[], data: Float32Array }> }} graph shapes of inputs and outputs by name
 */
export function model({ nodes, inputs, outputs, constants = {} }) {
  const graph = [
    ...nodes.map(({ op, inputs: from, output, attributes = {} }) =>
      message(1, [
        ...from.map((name) => text(1, name)),
        text(2, output),
        text(4, op),
        ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
      ]),
    ),
    text(2, "bench"),
    // TensorProto { dims, data_type: FLOAT, name, raw_data }
    ...Object.entries(constants).map(([name, { shape, data }]) =>
      message(5, [...shape.map((size) => varint(1, size)), varint(2, 1), text(8, name), bytes(9, raw(data))]),
    ),
    ...Object.entries(inputs).map(([name, shape]) => value(11, name, shape)),
    ...Object.entries(outputs).map(([name, shape]) => value(12, name, shape)),
  ];
  // ModelProto { ir_version: 8, graph, opset_import: { version: 13 } }
  return join([varint(1, 8), message(7, graph), message(8, [varint(2, 13)])]);
}

/** AttributeProto { name, i or ints, type: INT = 2 or INTS = 7 } */
function attribute(name, value) {
  const content = Array.isArray(value)
    ? [...value.map((one) => varint(8, one)), varint(20, 7)]
    : [varint(3, value), varint(20, 2)];
  return message(5, [text(1, name), ...content]);
}

/** ValueInfoProto { name, type: { tensor_type: { elem_type: FLOAT, shape } } } */
function value(field, name, shape) {
  const dimensions = shape.map((size) => message(1, [varint(1, size)]));
  return message(field, [text(1, name), message(2, [message(1, [varint(1, 1), message(2, dimensions)])])]);
}

/** Protobuf's base-128 integer: seven bits a byte, the lowest first, the top bit where more follow. */
function base128(number) {
  const out = [];
  let rest = number;
  for (; rest > 127; rest >>>= 7) out.push((rest & 127) | 128);
  return Uint8Array.from([...out, rest]);
}

const raw = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength);
const varint = (field, number) => join([base128(field << 3), base128(number)]);
const bytes = (field, body) => join([base128((field << 3) | 2), base128(body.length), body]);
const text = (field, string) => bytes(field, new TextEncoder().encode(string));
const message = (field, parts) => bytes(field, join(parts));

function join(parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
