"""Elementwise arithmetic with broadcasting, and unary functions."""

import torch


def cases(c):
    for op, function in {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}.items():
        for _ in range(4):
            shape = c.shape(rank=c.random.randint(1, 5), high=5)
            other = c.broadcastable(shape)
            sides = [shape, other] if c.random.random() < 0.5 else [other, shape]
            right = {"avoid": [0], "margin": 0.3} if op == "div" else {}
            c.add(op, [c.floats(*sides[0]), c.floats(*sides[1], **right)], function)
        c.add(op, [c.floats(3, 4), 1.5], lambda x, f=function: f(x, 1.5))
        c.add(op, [-2.25, c.floats(3, 4, avoid=[0], margin=0.3)], lambda x, f=function: f(torch.tensor(-2.25).double(), x))
    positive = {"low": 0.1, "high": 5}
    for op, options in {"neg": {}, "exp": {}, "log": positive, "sqrt": positive, "square": {}}.items():
        for _ in range(2):
            c.add(op, [c.floats(*c.shape(), **options)], getattr(torch, op))
