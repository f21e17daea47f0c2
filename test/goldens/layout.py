"""Shapes: views, axes in another order, slices, flips."""

import torch


def cases(c):
    for _ in range(3):
        shape = c.shape(rank=c.random.randint(2, 4))
        rank = len(shape)
        x = c.floats(*shape)
        order = [a - rank * c.random.randrange(2) for a in c.random.sample(range(rank), rank)]
        c.add("permute", [x, order], lambda x: x.permute(order))
        a, b = c.random.randrange(-rank, rank), c.random.randrange(-rank, rank)
        c.add("transpose", [x, a, b], lambda x: x.transpose(a, b))
        c.add("swapaxes", [x, a, b], lambda x: x.swapaxes(a, b))
        some = c.random.sample(range(rank), c.random.randint(1, rank))
        c.add("flip", [x, some], lambda x: x.flip(some))
        places = c.random.sample(range(rank), len(some))
        c.add("movedim", [x, some, places], lambda x: x.movedim(some, places))
        c.add("movedim", [x, a, b], lambda x: x.movedim(a, b))
        c.add("flatten", [x, 1], lambda x: x.flatten(1))
        c.add("unsqueeze", [x, a], lambda x: x.unsqueeze(a))
        wide = [c.random.randint(1, 3)] + [c.random.randint(1, 4) if n == 1 else n for n in shape]
        c.add("broadcastTo", [x, wide], lambda x: torch.broadcast_to(x, wide))
    c.add("flip", [c.floats(3, 4), []], lambda x: x.flip([]))
    c.add("unflatten", [c.floats(2, 12), 1, [3, 4]], lambda x: x.unflatten(1, [3, 4]))
    c.add("unflatten", [c.floats(2, 12), -1, [-1, 2, 3]], lambda x: x.unflatten(-1, [-1, 2, 3]))
    c.add("reshape", [c.floats(2, 6), [3, -1]], lambda x: x.reshape(3, -1))
    c.add("squeeze", [c.floats(2, 1, 3, 1)], lambda x: x.squeeze())
    c.add("squeeze", [c.floats(2, 1, 3, 1), 1], lambda x: x.squeeze(1))
    c.add("slice", [c.floats(4, 6), [[1, 3], [0, -1, 2]]], lambda x: x[1:3, 0:-1:2])
    c.add("cat", [[c.floats(2, 3), c.floats(2, 1)], {"dim": 1}], lambda a, b: torch.cat([a, b], 1))
