"""Reductions of f32, i32 and bool, with ties: what differences cannot check."""

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
    nan = torch.tensor([[1, float("nan"), 3], [2, 1, 0]])
    for op in ("max", "min", "median"):
        c.add(op, [nan, 1], lambda x: getattr(torch, op)(x, 1), gradients=False)
    c.add("median", [ties], torch.median)
    c.add("median", [c.distinct(3, 4)], torch.median)
    for _ in range(3):
        shape = c.shape(rank=c.random.randint(1, 4))
        dim, keepdim = c.random.randrange(-len(shape), len(shape)), c.random.random() < 0.5
        c.add("median", [c.distinct(*shape), dim, {"keepdim": keepdim}], lambda x: torch.median(x, dim, keepdim=keepdim))
    for op in ("argmax", "argmin"):
        for x in (torch.tensor([[3, -7, 5], [9, 0, -8]], dtype=torch.int32),):
            c.add(op, [x], getattr(torch, op))
            c.add(op, [x, 1, {"keepdim": True}], lambda x: getattr(torch, op)(x, 1, keepdim=True))
    for x in (c.integers(3, 4, low=-9, high=9), c.bools(3, 4)):
        c.add("sum", [x], torch.sum)
        c.add("sum", [x, 1, {"keepdim": True}], lambda x: x.sum(1, keepdim=True))
        c.add("prod", [x, 0], lambda x: x.prod(0))
    c.add("amax", [c.integers(2, 3, 4, low=-99, high=99), [0, 2]], lambda x: x.amax([0, 2]))
    c.add("amin", [c.integers(2, 3, 4, low=-99, high=99), -1], lambda x: x.amin(-1))
    for _ in range(3):
        shape = c.shape(rank=c.random.randint(1, 3))
        dim = c.random.randrange(-len(shape), len(shape))
        c.add("prod", [c.floats(*shape), dim], lambda x: x.prod(dim))
    c.add("prod", [c.floats(3, 4)], torch.prod)
    # one zero, several, none in a row
    zeros = torch.tensor([[2.0, 0, 3, -1], [0, 4, 0, 1], [1.5, 2, -2, 1]])
    c.add("prod", [zeros, 1], lambda x: x.prod(1))
    c.add("prod", [zeros], torch.prod)
    for op in ("all", "any"):
        function = getattr(torch, op)
        for x in (c.bools(3, 4), c.integers(3, 4, high=3), torch.tensor([[0.0, 0, 0], [0, float("nan"), 1], [1, 2, 3]])):
            c.add(op, [x], function, gradients=False)
            c.add(op, [x, 1], lambda x: function(x, 1), gradients=False)
            c.add(op, [x, {"dim": 0, "keepdim": True}], lambda x: function(x, 0, keepdim=True), gradients=False)
