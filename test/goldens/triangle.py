"""Triangles and diagonals."""

import torch


def cases(c):
    for op in ("tril", "triu"):
        for _ in range(3):
            shape = c.shape(rank=c.random.randint(2, 4))
            k = c.random.randint(-4, 4)
            c.add(op, [c.floats(*shape), {"diagonal": k}], lambda x: getattr(torch, op)(x, k))
        c.add(op, [torch.tensor([[1.0, float("nan")], [float("inf"), 2]])], getattr(torch, op), gradients=False)
        c.add(op, [c.integers(3, 4)], getattr(torch, op))
    for k in (0, 2, -1):
        c.add("diag", [c.floats(3), {"diagonal": k}], lambda x: torch.diag(x, k))
        c.add("diag", [c.floats(3, 4), k], lambda x: torch.diag(x, k))
    for _ in range(4):
        shape = c.shape(rank=c.random.randint(2, 4))
        a, b = c.random.sample(range(len(shape)), 2)
        k = c.random.randint(-3, 3)
        if -shape[a] < k < shape[b]:
            c.add("diagonal", [c.floats(*shape), {"offset": k, "dim1": a, "dim2": b}], lambda x: torch.diagonal(x, k, a, b))
    c.add("diagonal", [c.floats(4, 3)], torch.diagonal)
