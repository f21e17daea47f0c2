import { expect, it, vi } from "vitest";
import { noGrad, randn, type Tensor, tensor } from "../../src/index.js";

it("live tensors that grow for many steps are warned of once, with where they are made", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const w = tensor([1, 2], { requiresGrad: true });
  const train = () => {
    w.grad = null;
    w.mul(w).sum().backward();
  };
  for (let i = 0; i < 3000; i++) train();
  expect(warn).not.toHaveBeenCalled();
  const leak = () => randn([3]);
  const held: Tensor[] = [];
  for (let i = 0; i < 3000; i++) {
    held.push(leak());
    train();
  }
  expect(warn).toHaveBeenCalledTimes(1);
  const text = String(warn.mock.calls[0]![0]);
  expect(text).toMatch(/live tensors have grown for 1100 steps/);
  expect(text).toMatch(/100 x randn \[3\] made at/);
  expect(text).toContain("growth.test.ts");
  noGrad(() => {
    for (const x of held) x.dispose();
  });
  warn.mockRestore();
});
