"""Joining and taking apart."""

import torch


def cases(c):
    for _ in range(3):
        shape = c.shape(rank=c.random.randint(1, 3))
        rank = len(shape)
        x, y, z = c.floats(*shape), c.floats(*shape), c.floats(*shape)
        place = c.random.randrange(-rank - 1, rank + 1)
        c.add("stack", [[x, y, z], {"dim": place}], lambda *xs: torch.stack(xs, place))
        dim = c.random.randrange(-rank, rank)
        size, chunks = c.random.randint(1, shape[dim] + 1), c.random.randint(1, 4)
        c.add("split", [x, size, dim], lambda x: torch.split(x, size, dim))
        c.add("chunk", [x, chunks, {"dim": dim}], lambda x: torch.chunk(x, chunks, dim))
        c.add("unbind", [x, dim], lambda x: torch.unbind(x, dim))
        start = c.random.randrange(shape[dim])
        length = c.random.randint(1, shape[dim] - start)
        c.add("narrow", [x, dim, start, length], lambda x: x.narrow(dim, start, length))
        times = [c.random.randint(1, 3) for _ in range(rank + c.random.randrange(2))]
        c.add("repeat", [x, times], lambda x: x.repeat(*times))
        tiles = [c.random.randint(1, 3) for _ in range(c.random.randint(1, rank + 1))]
        c.add("tile", [x, tiles], lambda x: x.tile(*tiles))
    c.add("split", [c.floats(2, 6), [1, 3, 2], 1], lambda x: torch.split(x, [1, 3, 2], 1))
    c.add("narrow", [c.floats(5, 2), 0, -3, 2], lambda x: x.narrow(0, -3, 2))
    for indexing in ("ij", "xy"):
        c.add("meshgrid", [[c.floats(3), c.floats(4), c.floats(2)], {"indexing": indexing}],
              lambda *xs: torch.meshgrid(*xs, indexing=indexing))
    c.add("meshgrid", [[c.integers(3), c.integers(2)]], lambda *xs: torch.meshgrid(*xs, indexing="ij"))
    for _ in range(3):
        shape = c.shape(rank=c.random.randint(1, 4))
        some = c.random.sample(range(len(shape)), c.random.randint(1, len(shape)))
        shifts = [c.random.randint(-7, 7) for _ in some]
        c.add("roll", [c.floats(*shape), shifts, some], lambda x: x.roll(shifts, some))
    c.add("roll", [c.floats(2, 3, 2), 5], lambda x: x.roll(5))
    c.add("roll", [c.integers(2, 3), -1, {"dims": 1}], lambda x: x.roll(-1, 1))
