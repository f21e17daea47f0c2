// Errors of layers: they name the layer by its path in the model.
import { describe, expect, test } from "vitest";
import { ones, type Tensor, zeros } from "../../src/index.js";
import { Linear, Module, Parameter, ReLU, Sequential, Tanh } from "../../src/nn/index.js";
import { Bag, Block, message } from "./nets.js";

describe("errors name the layer", () => {
  const wrong = () => ones([1, 5]);
  const start = (path: string, type: string) => new RegExp(`^${path.replaceAll(".", "\\.")} \\(${type}\\): linear: `);

  test("in a Sequential, also before anything walked the model", () => {
    const model = new Sequential(new Linear(5, 4), new ReLU(), new Linear(3, 2));
    expect(message(() => model.forward(wrong()))).toMatch(start("2", "Linear"));
    expect(message(() => model.forward(ones([2, 6])))).toMatch(/^0 \(Linear\): linear: .*\[2,6\].*\[4,5\]/);
    const nested = new Sequential(new Tanh(), new Sequential(new ReLU(), new Linear(3, 2)));
    expect(message(() => nested.forward(wrong()))).toMatch(start("1.1", "Linear"));
  });

  test("a user's module in a Sequential, and the other way round", () => {
    const model = new Sequential(new Tanh(), new Block(3));
    expect(message(() => model.forward(wrong()))).toMatch(start("1.inner", "Linear"));
    class Net extends Module {
      layers = new Sequential(new Tanh(), new ReLU(), new Linear(3, 2));
      forward(x: Tensor): Tensor {
        return this.layers.forward(x);
      }
    }
    const net = new Net();
    net.parameters();
    expect(message(() => net.forward(wrong()))).toMatch(start("layers.2", "Linear"));
  });

  test("a user's own ops, in a Sequential", () => {
    class Broken extends Module {
      w = new Parameter(zeros([2, 2]));
      forward(x: Tensor): Tensor {
        return x.matmul(this.w);
      }
    }
    expect(message(() => new Sequential(new ReLU(), new Broken()).forward(wrong()))).toMatch(
      /^1 \(Broken\): matmul: .*\[1,5\]/,
    );
  });

  test("the path stays the whole model's after a part of it was walked", () => {
    const model = new Bag({ body: new Sequential(new Linear(3, 3), new Sequential(new Linear(3, 3))) });
    model.summary([1, 3]);
    const body = model.body as Sequential;
    body.requiresGrad(false);
    body.layers[1]!.parameters();
    expect(message(() => body.forward(wrong()))).toMatch(start("body.0", "Linear"));
    expect(message(() => body.layers[1]!.forward(wrong() as never))).toMatch(start("body.1.0", "Linear"));
  });

  test("once, and what is thrown is no Error passes unchanged", () => {
    const model = new Sequential(new Sequential(new Sequential(new Linear(3, 2))));
    expect(message(() => model.forward(wrong())).match(/\(\w+\)/g)).toEqual(["(Linear)"]);
    class Thrower extends Module {
      forward(): Tensor {
        throw "a text";
      }
    }
    let thrown: unknown;
    try {
      new Sequential(new Thrower()).forward(wrong());
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBe("a text");
  });

  test("what is no module is refused where it is given", () => {
    expect(() => new Sequential(new ReLU(), ((x: Tensor) => x) as never)).toThrow(
      /Sequential: layers must be modules.*layer 1/,
    );
    expect(() => new Sequential([new ReLU()] as never)).toThrow(/layers must be modules/);
  });
});
