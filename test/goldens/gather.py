"""Picking by index."""

import torch


def cases(c):
    for _ in range(6):
        shape = c.shape(rank=c.random.randint(1, 4), high=5)
        dim = c.random.randrange(-len(shape), len(shape))
        index = c.integers(c.random.randint(0, 7), low=0, high=shape[dim])
        c.add("indexSelect", [c.floats(*shape), dim, index], lambda x, i, d=dim: torch.index_select(x, d, i))
    index = torch.tensor([2, 0, 2, 2], dtype=torch.int32)
    c.add("indexSelect", [c.integers(4, 3), 0, index], lambda x, i: torch.index_select(x, 0, i))
