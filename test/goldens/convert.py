"""Conversion between element types."""

import torch


def cases(c):
    x = torch.tensor([0.0, -0.0, 0.5, -0.5, 1.75, -1.75, 100.0, -3.0])
    c.add("to", [x, "i32"], lambda x: x.int(), gradients=False)
    c.add("to", [x, "bool"], lambda x: x.bool(), gradients=False)
    c.add("to", [c.integers(7, low=-2, high=3), "bool"], lambda x: x.bool(), gradients=False)
    c.add("to", [c.integers(2, 3, low=-50, high=50), "f32"], lambda x: x.double(), gradients=False)
    c.add("to", [c.bools(9), "f32"], lambda x: x.double(), gradients=False)
    c.add("to", [c.bools(9), "i32"], lambda x: x.int(), gradients=False)
