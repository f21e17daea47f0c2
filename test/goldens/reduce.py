"""Reductions, with ties: what differences cannot check."""

import torch


def drawn(c, rank):
    """None, one axis, or several, counted from either end."""
    kind = c.random.random()
    if kind < 0.2 or rank == 0:
        return None
    if kind < 0.6:
        return c.random.randrange(-rank, rank)
    axes = c.random.sample(range(rank), c.random.randint(1, rank))
    return [axis - rank if c.random.random() < 0.3 else axis for axis in axes]


def cases(c):
    for op in ("sum", "mean", "amax", "amin"):
        function = getattr(torch, op)
        for _ in range(8):
            shape = c.shape(high=5)
            x = c.floats(*shape) if op in ("sum", "mean") else c.distinct(*shape)
            dim, keepdim = drawn(c, len(shape)), c.random.random() < 0.4
            options = {"keepdim": keepdim} if dim is None else {"dim": dim, "keepdim": keepdim}
            axes = tuple(range(len(shape))) if dim is None else dim
            c.add(op, [x, options], lambda x, f=function, a=axes, k=keepdim: f(x, dim=a, keepdim=k))
        c.add(op, [c.floats(2, 131)], lambda x, f=function: f(x, dim=(0, 1)))
    ties = torch.tensor([[1.0, 3, 3, -2, 3, -2], [0, 0, -1, 0, -1, -1]])
    for op in ("amax", "amin"):
        for dim in (0, 1, [0, 1]):
            c.add(op, [ties, dim], lambda x, f=getattr(torch, op), d=dim: f(x, dim=d))
    for op in ("max", "min"):
        function = getattr(torch, op)
        c.add(op, [c.distinct(3, 4)], function)
        c.add(op, [ties], function)
        for _ in range(4):
            shape = c.shape(rank=c.random.randint(1, 4), high=5)
            dim, keepdim = c.random.randrange(-len(shape), len(shape)), c.random.random() < 0.4
            options = {"dim": dim, "keepdim": keepdim}
            c.add(op, [c.distinct(*shape), options], lambda x, f=function, o=options: [*f(x, **o)])
    for op in ("argmax", "argmin"):
        function = getattr(torch, op)
        for _ in range(4):
            shape = c.shape(rank=c.random.randint(1, 4), high=5)
            dim, keepdim = c.random.randrange(-len(shape), len(shape)), c.random.random() < 0.4
            options = {"dim": dim, "keepdim": keepdim}
            c.add(op, [c.distinct(*shape), options], lambda x, f=function, o=options: f(x, **o))
        c.add(op, [c.distinct(3, 4)], function)
        # The first among equals (float64 in PyTorch gives it too), and a NaN before all.
        c.add(op, [torch.tensor([[1.0, 2, 2, 1], [0, float("nan"), 5, float("nan")]]), 1], lambda x, f=function: f(x, 1))
