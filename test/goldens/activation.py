"""Activation functions."""

import torch


def cases(c):
    c.add("relu", [c.floats(3, 5, avoid=[0])], torch.relu)
    c.add("relu", [torch.tensor([0.0, -0.0, 1.0, -1.0, float("nan"), float("inf")])], torch.relu)  # the kink, and NaN
    for op in ("sigmoid", "tanh"):
        for _ in range(3):
            c.add(op, [c.floats(*c.shape(), low=-6, high=6)], getattr(torch, op))
        c.add(op, [torch.tensor([0.0, 50.0, -50.0, 100.0, -100.0, float("inf"), float("-inf")])], getattr(torch, op))
