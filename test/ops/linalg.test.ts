import { expect, it } from "vitest";
import { dot, eigh, einsum, qr, svd, tensor } from "../../src/index.js";

it("einsum says what is wrong with an equation", () => {
  const a = tensor([[1, 2, 3]]);
  expect(() => einsum("ij,jk->ik", a)).toThrow(/"ij,jk->ik" has 2 operands: got 1/);
  expect(() => einsum("ijk", a)).toThrow(/"ijk" names 3 axes: operand 0 has 2/);
  expect(() => einsum("i1", a)).toThrow(/cannot read "i1"/);
  expect(() => einsum("ij->ik", a)).toThrow(/the output "ik" must name axes of the operands/);
  expect(() => einsum("ij->ii", a)).toThrow(/each once/);
  expect(() => einsum("ij,jk->ik", a, tensor([[1], [2]]))).toThrow(
    /axis j is 3 and 2 in "ij,jk->ik": operand 1 is \[2,1\]/,
  );
  expect(() => einsum("ij", tensor([[1]], { dtype: "i32" }))).toThrow(/operand 0 must be f32: got i32/);
  expect(() => dot(a, a)).toThrow(/a must have 1 axis: got \[1,3\]/);
});

it("decompositions refuse what they cannot do", () => {
  expect(() => qr(tensor([1, 2]))).toThrow(/takes a matrix: got \[2\]/);
  expect(() => eigh(tensor([[1, 2, 3]]))).toThrow(/square matrix: got \[1,3\]/);
  expect(() => svd(tensor([[Number.NaN]]))).toThrow(/NaN or Infinity/);
  expect(() => qr(tensor([[1]], { requiresGrad: true }))).toThrow(/has no gradient.*detach\(\) or noGrad\(\)/);
});

it("svd of a matrix without full rank has orthonormal factors all the same", () => {
  const x = tensor([
    [1, 2, 3],
    [2, 4, 6],
    [3, 6, 9],
    [0, 0, 0],
  ]);
  const { u, s, vh } = svd(x);
  const values = s.toArray() as number[];
  expect(values[0]).toBeCloseTo(14, 4);
  expect(values[1]).toBeCloseTo(0, 5);
  const gram = u.transpose(0, 1).matmul(u).toArray() as number[][];
  gram.forEach((row, i) => row.forEach((value, j) => expect(value).toBeCloseTo(i === j ? 1 : 0, 5)));
  const back = u.mul(s).matmul(vh).toTypedArray();
  x.toTypedArray().forEach((value, i) => expect(back[i]).toBeCloseTo(value, 4));
});
