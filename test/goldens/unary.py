"""Unary functions, clamp."""

import torch


def cases(c):
    positive = {"low": 0.1, "high": 5}
    kinks = {"avoid": [-3, -2, -1, 0, 1, 2, 3]}
    functions = {
        "abs": {"avoid": [0]},
        "sign": {"avoid": [0]},
        "floor": kinks,
        "ceil": kinks,
        "round": {"avoid": [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]},
        "reciprocal": {"avoid": [0], "margin": 0.3},
        "rsqrt": positive,
        "expm1": {},
        "log1p": {"low": -0.8, "high": 5},
        "sin": {"low": -9, "high": 9},
        "cos": {"low": -9, "high": 9},
        "atan": {"low": -5, "high": 5},
        "erf": {"low": -3.5, "high": 3.5},
    }
    for op, options in functions.items():
        for _ in range(2):
            c.add(op, [c.floats(*c.shape(), **options)], getattr(torch, op))
    # NaN, infinities, negative zero
    special = torch.tensor([float("nan"), float("inf"), -float("inf"), -0.0, 0.0, 1e-30, -1.0])
    for op in ["abs", "floor", "ceil", "round", "reciprocal", "rsqrt", "expm1", "log1p", "sin", "cos", "atan", "erf"]:
        c.add(op, [special], getattr(torch, op), gradients=False)
    c.add("round", [torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5, -2.5])], torch.round)
    for op in ["abs", "sign", "neg", "square", "floor", "ceil", "round"]:
        c.add(op, [c.integers(3, 4, low=-9)], getattr(torch, op))
    for op in ["exp", "sqrt", "sin", "erf", "reciprocal", "sigmoid", "tanh"]:
        c.add(op, [c.integers(3, 4, low=1)], lambda x, f=getattr(torch, op): f(x))
        c.add(op, [c.bools(3, 4)], lambda x, f=getattr(torch, op): f(x))
    c.add("square", [c.bools(5)], torch.square)
    c.add("clamp", [c.floats(4, 5, avoid=[-0.5, 1]), -0.5, 1], lambda x: torch.clamp(x, -0.5, 1))
    c.add("clamp", [c.floats(4, 5, avoid=[0.3]), {"min": 0.3}], lambda x: torch.clamp(x, min=0.3))
    c.add("clamp", [c.floats(4, 5, avoid=[0.3]), {"max": 0.3}], lambda x: torch.clamp(x, max=0.3))
    # At the bounds the gradient passes; bounds the wrong way round give the upper one.
    edges = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
    c.add("clamp", [edges, -0.5, 1], lambda x: torch.clamp(x, -0.5, 1))
    c.add("clamp", [edges, 1, -1], lambda x: torch.clamp(x, 1, -1))
    c.add("clamp", [c.integers(9, low=-9), -3, 4], lambda x: torch.clamp(x, -3, 4))
    c.add("clamp", [c.integers(9, low=-9), {"min": 0.5}], lambda x: torch.clamp(x, min=0.5))
    for _ in range(4):
        shape = c.shape(rank=2)
        x, low, high = c.floats(*shape), c.floats(*c.broadcastable(shape), high=0.5), c.floats(*c.broadcastable(shape), low=-0.5)
        c.add("clamp", [x, low, high], lambda x, p, q: torch.clamp(x, p, q))
        c.add("clamp", [x, {"min": low}], lambda x, p: torch.clamp(x, min=p))
        c.add("clamp", [x, {"max": high}], lambda x, q: torch.clamp(x, max=q))
