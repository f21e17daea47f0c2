// Freezing, thawing and replacing layers in the middle of a training: an optimizer's state stays with its parameters.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mseLoss, type Tensor, tensor } from "../../src/index.js";
import { Linear, Sequential, type StateDict, Tanh } from "../../src/nn/index.js";
import { Adam } from "../../src/optim/index.js";

interface Packed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
interface Golden {
  readonly training: string;
  readonly lr: number;
  readonly state: Readonly<Record<string, Packed>>;
  readonly head: Readonly<Record<string, Packed>>;
  readonly x: Packed;
  readonly y: Packed;
  readonly phases: readonly Readonly<Record<string, readonly number[]>>[];
}

const { cases } = JSON.parse(readFileSync(new URL("../goldens/nn.json", import.meta.url), "utf8")) as {
  cases: Golden[];
};
const golden = cases.find((entry) => entry.training !== undefined)!;
const unpack = ({ data, shape }: Packed): Tensor => tensor([...data], { shape });
const state = (packed: Readonly<Record<string, Packed>>): StateDict =>
  Object.fromEntries(Object.entries(packed).map(([name, value]) => [name, unpack(value)]));

test("frozen, with a new head, thawed: PyTorch's weights after each phase", () => {
  const model = new Sequential(new Linear(3, 4), new Tanh(), new Linear(4, 2));
  model.loadStateDict(state(golden.state));
  const optimizer = new Adam(model.parameters(), { lr: golden.lr });
  const [x, y] = [unpack(golden.x), unpack(golden.y)];
  let number = 0;
  const phase = () => {
    for (let i = 0; i < 3; i++) {
      optimizer.zeroGrad();
      mseLoss(model.forward(x), y).backward();
      optimizer.step();
    }
    for (const [name, want] of Object.entries(golden.phases[number]!)) {
      const got = model.stateDict()[name]!.toTypedArray();
      want.forEach((value, i) => expect(got[i], `phase ${number}, ${name}[${i}]`).toBeCloseTo(value, 5));
    }
    number++;
  };
  phase();
  const first = model.layers[0]!;
  first.requiresGrad(false);
  const before = first.parameters().map((p) => p.toTypedArray().join());
  phase();
  expect(first.parameters().map((p) => p.toTypedArray().join())).toEqual(before);
  const head = new Linear(4, 2);
  head.loadStateDict(state(golden.head));
  model.replace("2", head);
  expect(model.layers[2]).toBe(head);
  optimizer.addParamGroup({ params: head.parameters() });
  phase();
  first.requiresGrad(true);
  phase();
});
