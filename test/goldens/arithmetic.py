"""Extremes, remainders, powers, interpolation."""

import torch


def pair(c, **options):
    shape = c.shape(rank=c.random.randint(1, 4), high=4)
    other = c.broadcastable(shape)
    sides = [shape, other] if c.random.random() < 0.5 else [other, shape]
    return [c.floats(*sides[0], **options), c.floats(*sides[1], **options)]


def cases(c):
    inf, nan = float("inf"), float("nan")
    for op in ["maximum", "minimum"]:
        function = getattr(torch, op)
        for _ in range(3):
            c.add(op, pair(c), function)
        # Ties share the gradient; NaN passes it on both sides.
        c.add(op, [torch.tensor([1.0, nan, 0.0, 5.0]), torch.tensor([nan, 1.0, 0.0, 4.0])], function)
        c.add(op, [c.integers(3, 4), c.integers(4)], function)
        c.add(op, [c.bools(3, 4), c.bools(4)], function)
        c.add(op, [c.floats(3, 4), c.integers(4)], function)
    for _ in range(4):
        a, b = pair(c, low=-6, high=6, avoid=[0], margin=0.4)
        # The derivative by b jumps where a / b is an integer: the floats are never so.
        c.add("remainder", [a, b], torch.remainder)
    c.add("remainder", [c.floats(3, 4), -0.75], lambda x: torch.remainder(x, -0.75))
    c.add("remainder", [torch.tensor([5.0, -5.0, 1.0, -1.0, 0.0, -0.0, 1.0]), torch.tensor([3.0, -3.0, inf, inf, -3.0, 3.0, 0.0])],
          torch.remainder, gradients=False)
    c.add("remainder", [c.integers(4, 3, low=-9), torch.tensor([3, -4, 5], dtype=torch.int32)], torch.remainder)
    c.add("remainder", [c.integers(4, 3, low=-9), -4], lambda x: torch.remainder(x, -4))
    for _ in range(4):
        x, e = pair(c, low=0.2, high=3)
        c.add("pow", [x, e], torch.pow)
    for exponent in [0, 1, 2, 3, -1, 0.5, -0.5, 2.5, -2]:
        options = {} if exponent in (0, 1, 2, 3) else {"low": 0.3, "high": 3}
        c.add("pow", [c.floats(2, 5, **options), exponent], lambda x, e=exponent: torch.pow(x, e))
    c.add("pow", [2.5, c.floats(2, 5)], lambda e: torch.pow(2.5, e))
    c.add("pow", [torch.tensor([0.0, 0.0, 2.0, 0.0]), torch.tensor([2.0, 0.0, 0.0, 3.0])], torch.pow)
    c.add("pow", [torch.tensor([-inf, -1.0, 1.0, 0.0, nan, -8.0, -2.0]), torch.tensor([3.0, inf, nan, -1.0, 0.0, 1 / 3, 5.0])],
          torch.pow, gradients=False)
    c.add("pow", [c.integers(3, 4, low=-4, high=5), 3], lambda x: torch.pow(x, 3))
    c.add("pow", [c.integers(3, 1, low=-4, high=5), c.integers(4, low=0, high=6)], torch.pow)
    c.add("pow", [c.bools(5), 2], lambda x: torch.pow(x, 2))
    for weight in [0.2, 0.5, 0.9, -1.5]:
        c.add("lerp", [c.floats(3, 4), c.floats(4), weight], lambda a, b, w=weight: torch.lerp(a, b, w))
    c.add("lerp", [c.floats(3, 4), c.floats(4), c.floats(3, 1)], torch.lerp)
    c.add("lerp", [c.floats(3, 4), c.floats(4), torch.ones(3, 1)], torch.lerp)
    c.add("addcmul", [c.floats(3, 4), c.floats(4), c.floats(3, 1)], torch.addcmul)
    c.add("addcmul", [c.floats(3, 4), c.floats(4), c.floats(3, 1), {"value": -0.3}],
          lambda x, a, b: torch.addcmul(x, a, b, value=-0.3))
    # Promotion of the plain operations, alpha
    for op in ["add", "sub", "mul", "div"]:
        function = getattr(torch, op)
        right = {"low": 1} if op == "div" else {"low": -9}
        c.add(op, [c.integers(3, 4, low=-9), c.integers(4, **right)], function)
        c.add(op, [c.integers(3, 4, low=-9), c.floats(4, avoid=[0], margin=0.3)], function)
        c.add(op, [c.integers(3, 4, low=-9), 2], lambda x, f=function: f(x, 2))
        c.add(op, [c.integers(3, 4, low=-9), 2.5], lambda x, f=function: f(x, 2.5))
        if op == "sub":
            continue  # PyTorch subtracts no bool
        c.add(op, [c.bools(3, 4), c.integers(4, **right)], function)
        c.add(op, [c.floats(3, 4), c.bools(3, 4) if op != "div" else torch.ones(4).bool()], function)
        c.add(op, [c.bools(3, 4), 2], lambda x, f=function: f(x, 2))
    c.add("add", [c.bools(7), c.bools(7)], torch.add)
    c.add("mul", [c.bools(7), c.bools(7)], torch.mul)
    for op in ["add", "sub"]:
        function = getattr(torch, op)
        c.add(op, [c.floats(3, 4), c.floats(4), {"alpha": 2.5}], lambda a, b, f=function: f(a, b, alpha=2.5))
        c.add(op, [c.integers(3, 4), c.integers(4), {"alpha": -3}], lambda a, b, f=function: f(a, b, alpha=-3))
        c.add(op, [c.floats(3, 4), 1.5, {"alpha": 2}], lambda a, f=function: f(a, 1.5, alpha=2))
