"""Picking, writing and adding by index along an axis."""

import torch


def smaller(c, shape, dim, length):
    """Sizes of an index: any along dim, at most those of x elsewhere."""
    return [length if i == dim else c.random.randint(1, n) for i, n in enumerate(shape)]


def cases(c):
    for _ in range(6):
        shape = c.shape(rank=c.random.randint(1, 4), high=5)
        dim = c.random.randrange(-len(shape), len(shape))
        index = c.integers(c.random.randint(0, 7), low=0, high=shape[dim])
        c.add("indexSelect", [c.floats(*shape), dim, index], lambda x, i, d=dim: torch.index_select(x, d, i))
    index = torch.tensor([2, 0, 2, 2], dtype=torch.int32)
    c.add("indexSelect", [c.integers(4, 3), 0, index], lambda x, i: torch.index_select(x, 0, i))
    for _ in range(4):
        shape = c.shape(rank=c.random.randint(1, 4))
        dim = c.random.randrange(len(shape))
        n = shape[dim]
        x = c.floats(*shape)
        index = c.integers(*smaller(c, shape, dim, c.random.randint(1, 7)), high=n)
        c.add("gather", [x, dim - len(shape), index], lambda x, i: torch.gather(x, dim, i))
        src = c.floats(*[s + c.random.randrange(2) for s in index.shape])
        c.add("scatterAdd", [x, dim, index, src], lambda x, i, s: torch.scatter_add(x, dim, i, s),
              gradients={0, 2} if src.shape == index.shape else {0})
        rows = c.integers(c.random.randint(1, 6), high=n)
        c.add("indexSelect", [x, dim, rows], lambda x, i: torch.index_select(x, dim, i))
        source = c.floats(*[len(rows) if i == dim else s for i, s in enumerate(shape)])
        alpha = c.random.choice([1, -0.5, 2])
        c.add("indexAdd", [x, dim, rows, source, {"alpha": alpha}], lambda x, i, s: torch.index_add(x, dim, i, s, alpha=alpha))
        # Places at most once: PyTorch leaves open which of several stays.
        order = torch.stack([torch.randperm(n, generator=c.generator) for _ in range(x.numel() // n)])
        once = order.reshape([s for i, s in enumerate(shape) if i != dim] + [n]).movedim(-1, dim).int().contiguous()
        once = once.narrow(dim, 0, c.random.randint(1, n)).contiguous()
        c.add("scatter", [x, dim, once, c.floats(*once.shape)], lambda x, i, s: torch.scatter(x, dim, i, s))
        c.add("scatter", [x, dim, once, 2.5], lambda x, i: torch.scatter(x, dim, i, 2.5))
        flat = c.integers(*c.shape(rank=2), low=-x.numel(), high=x.numel())
        c.add("take", [x, flat], torch.take)
        order = torch.argsort(x, dim).int()
        c.add("takeAlongDim", [x, order, dim], lambda x, i: torch.take_along_dim(x, i, dim))
    c.add("takeAlongDim", [c.floats(3, 4), c.integers(1, 2, high=4), {"dim": 1}], lambda x, i: torch.take_along_dim(x, i, 1))
    c.add("takeAlongDim", [c.floats(1, 4), c.integers(3, 2, high=4), 1], lambda x, i: torch.take_along_dim(x, i, 1))
    c.add("takeAlongDim", [c.floats(3, 4), c.integers(5, high=12)], lambda x, i: torch.take_along_dim(x, i))
    c.add("scatterAdd", [c.integers(2, 3), 1, c.integers(2, 5, high=3), c.integers(2, 5)], lambda x, i, s: x.scatter_add(1, i, s))
