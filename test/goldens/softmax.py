"""Softmax and its logarithm."""

import torch


def cases(c):
    for op, function in {"softmax": torch.softmax, "logSoftmax": torch.log_softmax}.items():
        for _ in range(6):
            shape = c.shape(rank=c.random.randint(1, 4))
            dim = c.random.randrange(-len(shape), len(shape))
            c.add(op, [c.floats(*shape, low=-5, high=5), dim], lambda x, f=function, d=dim: f(x, d))
        c.add(op, [c.floats(3, 35, low=-30, high=30), {"dim": 1}], lambda x, f=function: f(x, 1))
        c.add(op, [c.floats(5, 9, low=-300, high=300), 0], lambda x, f=function: f(x, 0))
        c.add(op, [torch.tensor([float("-inf"), 0.0, 1.0]), 0], lambda x, f=function: f(x, 0), gradients=False)
        c.add(op, [torch.tensor([[0.0, float("nan")], [0.0, 1.0]]), 1], lambda x, f=function: f(x, 1), gradients=False)
