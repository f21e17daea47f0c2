"""Comparisons, logic, choice."""

import torch


def cases(c):
    nan, inf = float("nan"), float("inf")
    names = {"logical_and": "logicalAnd", "logical_or": "logicalOr", "logical_xor": "logicalXor"}
    for op in ["eq", "ne", "lt", "le", "gt", "ge", *names]:
        function, name = getattr(torch, op), names.get(op, op)
        shape = c.shape(rank=3, high=4)
        c.add(name, [c.integers(*shape, low=-2, high=3).float(), c.integers(*c.broadcastable(shape), low=-2, high=3).float()], function)
        c.add(name, [c.integers(4, 3, low=-2, high=3), c.integers(3, low=-2, high=3)], function)
        c.add(name, [c.bools(9), c.bools(9)], function)
        c.add(name, [c.integers(4, 3, low=-2, high=3), c.floats(3)], function)
        c.add(name, [torch.tensor([nan, inf, -inf, -0.0, 1.0]), torch.tensor([nan, inf, inf, 0.0, nan])], function)
        if name == op:
            c.add(name, [c.floats(4, 3), 0.5], lambda x, f=function: f(x, 0.5))
            c.add(name, [c.integers(4, 3, low=-2, high=3), 1], lambda x, f=function: f(x, 1))
    special = torch.tensor([nan, inf, -inf, -0.0, 0.0, 2.0])
    for name, function in {"isNaN": torch.isnan, "isFinite": torch.isfinite, "logicalNot": torch.logical_not}.items():
        c.add(name, [special], function)
        c.add(name, [c.integers(3, 4, low=-2, high=2)], function)
        c.add(name, [c.bools(5)], function)
    for _ in range(6):
        shape = c.shape(rank=c.random.randint(1, 4), high=4)
        mask = c.bools(*c.broadcastable(shape))
        a, b = c.floats(*shape), c.floats(*c.broadcastable(shape))
        c.add("where", [mask, a, b], torch.where)
        c.add("where", [mask, b, a], torch.where)
    mask = c.bools(3, 4)
    c.add("where", [mask, c.floats(3, 4), 0.5], lambda m, x: torch.where(m, x, 0.5))
    c.add("where", [mask, c.integers(4), c.floats(3, 1)], torch.where)
    c.add("where", [mask, c.integers(4), c.integers(3, 1)], torch.where)
    c.add("where", [mask, c.bools(4), c.bools(3, 1)], torch.where)
    # What is not chosen takes no gradient, even where it is infinite.
    c.add("where", [torch.tensor([True, False]), torch.tensor([1.0, inf]), torch.tensor([nan, 2.0])], torch.where)
