"""Reductions over any axes, of f32, i32 and bool, with ties."""

import torch


def axes(c, rank):
    """A random choice of axes: None, one (as often negative), or several."""
    kind = c.random.randrange(3)
    if kind == 0 or rank == 0:
        return None
    if kind == 1:
        return c.random.randrange(-rank, rank)
    return [a - rank * c.random.randrange(2) for a in sorted(c.random.sample(range(rank), c.random.randint(1, rank)))]


def options(dim, keepdim):
    return {"keepdim": keepdim} if dim is None else {"dim": dim, "keepdim": keepdim}


def everywhere(x, dim):
    return list(range(x.dim())) if dim is None else dim


def cases(c):
    for op in ("sum", "mean", "amax", "amin"):
        for _ in range(4):
            shape = c.shape(rank=c.random.randint(1, 4))
            x = c.distinct(*shape) if op.startswith("a") else c.floats(*shape)
            dim, keepdim = axes(c, len(shape)), c.random.random() < 0.5
            c.add(op, [x, options(dim, keepdim)], lambda x: getattr(torch, op)(x, dim=everywhere(x, dim), keepdim=keepdim))
    tied = torch.tensor([[1.0, 3, 3, -2, 3], [0, 0, -1, 0, -1]])
    for op in ("amax", "amin"):
        c.add(op, [tied, 1], lambda x: getattr(torch, op)(x, dim=1))
        c.add(op, [tied], lambda x: getattr(torch, op)(x))
    for op in ("max", "min", "median"):
        function = getattr(torch, op)
        c.add(op, [tied], function)
        c.add(op, [c.distinct(3, 4)], function)
        for _ in range(3):
            shape = c.shape(rank=c.random.randint(1, 4))
            dim, keepdim = c.random.randrange(-len(shape), len(shape)), c.random.random() < 0.5
            c.add(op, [c.distinct(*shape), dim, {"keepdim": keepdim}], lambda x: function(x, dim, keepdim=keepdim))
        nan = torch.tensor([[1, float("nan"), 3], [2, 1, 0]])
        c.add(op, [nan, 1], lambda x: function(x, 1), gradients=False)
    for op in ("argmax", "argmin"):
        for x in (c.distinct(4, 5), torch.tensor([[3, -7, 5], [9, 0, -8]], dtype=torch.int32)):
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
