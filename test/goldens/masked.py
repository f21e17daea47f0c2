"""Masks, and positions of what is not zero."""

import torch


def cases(c):
    for _ in range(4):
        shape = c.shape(rank=c.random.randint(1, 4))
        x = c.floats(*shape)
        mask = c.bools(*c.broadcastable(shape))
        c.add("maskedFill", [x, mask, -1.5], lambda x, m: x.masked_fill(m, -1.5))
        c.add("maskedFill", [x, mask, 0], lambda x, m: x.masked_fill(m, 0))
        c.add("maskedFill", [x, mask, c.floats()], lambda x, m, v: x.masked_fill(m, v))
        c.add("maskedSelect", [x, mask], lambda x, m: x.masked_select(m))
        sparse = torch.where(c.bools(*shape), x, torch.zeros(()))
        c.add("nonzero", [sparse], torch.nonzero, gradients=False)
        c.add("nonzero", [sparse, {"asTuple": True}], lambda x: x.nonzero(as_tuple=True), gradients=False)
    c.add("maskedFill", [c.integers(3, 4), c.bools(3, 4), 7], lambda x, m: x.masked_fill(m, 7))
    c.add("maskedSelect", [c.floats(1, 3), c.bools(4, 1)], lambda x, m: x.masked_select(m))
    c.add("nonzero", [c.bools(4, 3)], torch.nonzero)
    c.add("nonzero", [torch.tensor([0.0, -0.0, float("nan"), 1e-40, 2])], torch.nonzero, gradients=False)
