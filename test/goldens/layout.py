"""Shape and order of elements."""

import torch


def part(n, random):
    """A range [start, end, step] with a positive step, as PyTorch has no other; parts may be null."""
    start = random.choice([None, random.randint(-n - 1, n + 1)])
    end = random.choice([None, random.randint(-n - 1, n + 1)])
    return [start, end, random.randint(1, 3)]


def cases(c):
    for _ in range(2):
        c.add("clone", [c.floats(*c.shape())], torch.clone)
    for _ in range(5):
        shape = c.shape(rank=c.random.randint(1, 4))
        to = c.random.sample(shape, len(shape))
        open_axis = c.random.randrange(len(shape))
        given = [-1 if i == open_axis else size for i, size in enumerate(to)]
        c.add("reshape", [c.floats(*shape), given], lambda x, s=given: x.reshape(s))
    for _ in range(4):
        shape = c.shape(rank=c.random.randint(2, 5), high=4)
        a = c.random.randrange(len(shape))
        b = c.random.randrange(a, len(shape))
        start, end = (a, b) if c.random.random() < 0.5 else (a - len(shape), b - len(shape))
        c.add("flatten", [c.floats(*shape), start, end], lambda x, s=start, e=end: torch.flatten(x, s, e))
    for _ in range(4):
        shape = [1 if c.random.random() < 0.5 else size for size in c.shape(rank=4, high=4)]
        dim = c.random.randrange(-4, 4)
        c.add("squeeze", [c.floats(*shape)], torch.squeeze)
        c.add("squeeze", [c.floats(*shape), dim], lambda x, d=dim: torch.squeeze(x, d))
        c.add("unsqueeze", [c.floats(*shape[:3]), dim], lambda x, d=dim: torch.unsqueeze(x, d))
    for _ in range(6):
        shape = c.shape(rank=c.random.randint(2, 5), high=5)
        a, b = (c.random.randrange(-len(shape), len(shape)) for _ in range(2))
        c.add("transpose", [c.floats(*shape), a, b], lambda x, a=a, b=b: torch.transpose(x, a, b))
        order = c.random.sample(range(len(shape)), len(shape))
        order = [axis - len(shape) if c.random.random() < 0.3 else axis for axis in order]
        c.add("permute", [c.floats(*shape), order], lambda x, o=order: x.permute(o))
    for _ in range(10):
        shape = c.shape(rank=c.random.randint(1, 4), high=6)
        ranges = [None if c.random.random() < 0.2 else part(n, c.random) for n in shape]
        ranges = ranges[: c.random.randint(1, len(shape))]
        slices = tuple(slice(None) if r is None else slice(*r) for r in ranges)
        c.add("slice", [c.floats(*shape), ranges], lambda x, s=slices: x[s])
    for _ in range(6):
        shape = c.shape(rank=c.random.randint(1, 4), high=4)
        dim = c.random.randrange(-len(shape), len(shape))
        parts = []
        for _ in range(c.random.randint(1, 4)):
            own = list(shape)
            own[dim] = c.random.randint(0, 4)
            parts.append(c.floats(*own))
        c.add("cat", [parts, {"dim": dim}], lambda *xs, d=dim: torch.cat(xs, d))
    for _ in range(5):
        shape = [1 if c.random.random() < 0.5 else size for size in c.shape(rank=c.random.randint(0, 4), high=4)]
        to = c.shape(rank=c.random.randint(0, 2), high=3) + [
            c.random.randint(1, 4) if size == 1 else c.random.choice([-1, size]) for size in shape
        ]
        c.add("expand", [c.floats(*shape), to], lambda x, s=to: x.expand(s))
    for _ in range(3):
        shape = c.shape(rank=c.random.randint(2, 4))
        rank = len(shape)
        x = c.floats(*shape)
        a, b = c.random.randrange(-rank, rank), c.random.randrange(-rank, rank)
        c.add("swapaxes", [x, a, b], lambda x: x.swapaxes(a, b))
        some = c.random.sample(range(rank), c.random.randint(1, rank))
        c.add("flip", [x, some], lambda x: x.flip(some))
        places = c.random.sample(range(rank), len(some))
        c.add("movedim", [x, some, places], lambda x: x.movedim(some, places))
        c.add("movedim", [x, a, b], lambda x: x.movedim(a, b))
        wide = [c.random.randint(1, 3)] + [c.random.randint(1, 4) if n == 1 else n for n in shape]
        c.add("broadcastTo", [x, wide], lambda x: torch.broadcast_to(x, wide))
    c.add("flip", [c.floats(3, 4), []], lambda x: x.flip([]))
    c.add("unflatten", [c.floats(2, 12), 1, [3, 4]], lambda x: x.unflatten(1, [3, 4]))
    c.add("unflatten", [c.floats(2, 12), -1, [-1, 2, 3]], lambda x: x.unflatten(-1, [-1, 2, 3]))
