"""x[...] and copies of x with a part written."""

import torch


def drawn(c, shape):
    """Random indices: what gradine takes, and a function from the tensors among them to what PyTorch takes."""
    mine, theirs, tensors = [], [], []
    wide = c.shape(rank=c.random.randint(0, 2), high=3)
    axis, dots = 0, False
    while axis < len(shape) and (dots or c.random.random() < 0.9):
        n = shape[axis]
        kind = c.random.randrange(7)
        if kind == 0:
            i = c.random.randrange(-n, n)
            mine.append(i)
            theirs.append(i)
        elif kind == 1:
            start, end, step = c.random.randint(-n, n), c.random.randint(-n, n), c.random.randint(1, 3)
            mine.append([start, end, step])
            theirs.append(slice(start, end, step))
        elif kind == 2 and not dots:
            # The rest is counted from the end.
            dots = True
            mine.append("...")
            theirs.append(...)
            axis += c.random.randint(0, len(shape) - axis)
            continue
        elif kind == 3 and axis + 2 == len(shape) and wide == []:
            mask = c.bools(n, shape[axis + 1])
            mine.append(mask)
            theirs.append(len(tensors))
            tensors.append(mask)
            break  # PyTorch counts a mask of two axes as one for what comes after it; NumPy, and gradine, do not
        elif kind >= 4:
            index = c.integers(*[m if c.random.random() < 0.7 else 1 for m in wide], low=-n, high=n)
            mine.append(index)
            theirs.append(len(tensors))
            tensors.append(index)
        else:
            mine.append(":")
            theirs.append(slice(None))
        axis += 1
    places = [i for i, item in enumerate(mine) if isinstance(item, torch.Tensor)]

    def select(given):
        full = list(theirs)
        for place, tensor in zip(places, given):
            full[place] = tensor
        return tuple(full)

    return mine, select, len(tensors)


def cases(c):
    for _ in range(30):
        shape = c.shape(rank=c.random.randint(1, 4), high=5)
        indices, select, count = drawn(c, shape)
        c.add("at", [c.floats(*shape), *indices], lambda x, *given: x[select(given)])
    for _ in range(20):
        shape = c.shape(rank=c.random.randint(1, 4), high=5)
        x = c.floats(*shape)
        indices, select, count = drawn(c, shape)
        tensors = [item.long() if item.dtype == torch.int32 else item for item in indices if isinstance(item, torch.Tensor)]
        values = c.floats(*x[select(tensors)].shape)

        def add(x, *rest):
            # By flat positions, since index_put_ takes tensors only.
            where = torch.arange(x.numel()).reshape(x.shape)[select(rest[:count])].reshape(-1)
            return x.reshape(-1).index_put((where,), rest[count].reshape(-1), accumulate=True).reshape(x.shape)

        c.add("indexPut", [x, indices, values, {"accumulate": True}], add)
    x = c.floats(4, 5, 3)
    c.add("at", [x, 1], lambda x: x[1])
    c.add("at", [x, -1, [1, -1]], lambda x: x[-1, 1:-1])
    c.add("at", [x, [0, 4, 2], ":", 2], lambda x: x[0:4:2, :, 2])
    c.add("at", [x, "...", 0], lambda x: x[..., 0])
    c.add("at", [x, 2, "...", [1, 3]], lambda x: x[2, ..., 1:3])
    rows = c.integers(3, low=-4, high=4)
    c.add("at", [x, rows], lambda x, i: x[i])
    c.add("at", [x, ":", rows], lambda x, i: x[:, i])
    c.add("at", [x, "...", c.integers(2, 2, low=-3, high=3)], lambda x, i: x[..., i])
    pair = [c.integers(3, 1, high=4), c.integers(2, high=5)]
    c.add("at", [x, *pair], lambda x, i, j: x[i, j])
    c.add("at", [x, pair[0], [1, 4], c.integers(2, high=3)], lambda x, i, j: x[i, 1:4, j])
    c.add("at", [x, ":", pair[1], c.integers(2, high=3)], lambda x, i, j: x[:, i, j])
    c.add("at", [x, pair[0], "...", c.integers(2, high=3)], lambda x, i, j: x[i, ..., j])
    c.add("at", [x, 1, pair[1], 2], lambda x, i: x[1, i, 2])
    c.add("at", [x, 1, ":", c.integers(2, high=3)], lambda x, i: x[1, :, i])
    c.add("at", [x, c.integers(high=4), ":", c.integers(2, high=3)], lambda x, i, j: x[i, :, j])
    c.add("at", [x, [1, 3], c.integers(high=5)], lambda x, i: x[1:3, i])
    c.add("at", [x, c.bools(4)], lambda x, m: x[m])
    c.add("at", [x, c.bools(4, 5)], lambda x, m: x[m])
    c.add("at", [x, c.bools(4, 5, 3)], lambda x, m: x[m])
    c.add("at", [x, ":", c.bools(5), 1], lambda x, m: x[:, m, 1])
    mask = torch.tensor([True, False, True, False, False])
    c.add("at", [x, c.integers(2, high=4), mask], lambda x, i, m: x[i, m])
    c.add("at", [c.integers(4, 5), c.integers(3, high=4), [1, 4]], lambda x, i: x[i, 1:4])

    def put(indices, function, shape, **more):
        """function(x, values, *index tensors) writes into x, a copy."""
        tensors = [i for i in indices if isinstance(i, torch.Tensor)]
        count = len(tensors)

        def run(x, *rest):
            y = x.clone()
            function(y, rest[count], *rest[:count])
            return y

        c.add("indexPut", [c.floats(4, 5, 3), indices, c.floats(*shape), *([more] if more else [])], run)

    def assign(select):
        def function(y, v, *index):
            y[select(*index)] = v
        return function

    put([1], assign(lambda: 1), [5, 3])
    put([[0, 4, 2], "...", [1, 3]], assign(lambda: (slice(0, 4, 2), ..., slice(1, 3))), [5, 2])
    put([":", -2], assign(lambda: (slice(None), -2)), [1])
    distinct = torch.tensor([3, 0, -2], dtype=torch.int32)
    put([distinct], assign(lambda i: i), [3, 5, 3])
    put([":", torch.tensor([3, 0, -1], dtype=torch.int32)], assign(lambda i: (slice(None), i)), [3, 1])
    put([distinct, [0, 2], torch.tensor([0, 2, 1], dtype=torch.int32)], assign(lambda i, j: (i, slice(0, 2), j)), [3, 2])
    put([c.bools(4, 5)], assign(lambda m: m), [3])
    again = c.integers(6, high=4)

    def accumulate(*index):
        def function(y, v, *tensors):
            y.index_put_(tensors, v, accumulate=True)
        return function

    put([again], accumulate(), [6, 5, 3], accumulate=True)
    put([again, c.integers(6, high=5)], accumulate(), [6, 1], accumulate=True)
    put([c.integers(2, 1, high=4), c.integers(3, high=5), c.integers(1, high=3)], accumulate(), [2, 3], accumulate=True)
