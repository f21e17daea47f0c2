"""Running sums and products along an axis, with zeros."""

import torch


def cases(c):
    for op in ("cumsum", "cumprod"):
        function = getattr(torch, op)
        for _ in range(5):
            shape = c.shape(rank=c.random.randint(1, 4), high=7)
            dim = c.random.randrange(-len(shape), len(shape))
            c.add(op, [c.floats(*shape), dim], lambda x: function(x, dim))
        for x in (c.integers(3, 4, low=-3, high=4), c.bools(3, 4)):
            c.add(op, [x, 1], lambda x: function(x, 1))
    c.add("cumprod", [torch.tensor([[2.0, 0, 3, -1, 2], [0, 4, 0, 1, 3]]), 1], lambda x: x.cumprod(1))
    c.add("cumsum", [c.floats(50), 0], lambda x: x.cumsum(0))
