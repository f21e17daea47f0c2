"""Activation functions; derivatives at the kinks too."""

import torch
import torch.nn.functional as F


def maxout(x, pieces, dim):
    """Goodfellow et al. 2013; PyTorch has none."""
    return x.unflatten(dim, (x.shape[dim] // pieces, pieces)).max(dim + 1 if dim >= 0 else dim).values


def cases(c):
    wide = {"low": -6, "high": 6}
    functions = {
        "relu": (F.relu, {}),
        "relu6": (F.relu6, {}),
        "sigmoid": (torch.sigmoid, {}),
        "tanh": (torch.tanh, {}),
        "logSigmoid": (F.logsigmoid, {}),
        "hardtanh": (F.hardtanh, {"minVal": -0.7, "maxVal": 2.5}),
        "leakyRelu": (F.leaky_relu, {"negativeSlope": 0.2}),
        "elu": (F.elu, {"alpha": 0.7}),
        "selu": (F.selu, {}),
        "softplus": (F.softplus, {"beta": 1.7, "threshold": 5}),
        "softsign": (F.softsign, {}),
        "gelu": (F.gelu, {"approximate": "tanh"}),
        "silu": (F.silu, {}),
        "mish": (F.mish, {}),
        "hardsigmoid": (F.hardsigmoid, {}),
        "hardswish": (F.hardswish, {}),
    }
    python = {"minVal": "min_val", "maxVal": "max_val", "negativeSlope": "negative_slope"}
    kinks = torch.tensor([-3.0, -1.0, -0.7, -0.0, 0.0, 1.0, 2.5, 3.0, 6.0])
    for op, (function, options) in functions.items():
        for _ in range(2):
            c.add(op, [c.floats(*c.shape(), **wide)], function)
        # PyTorch's f64 and f32 kernels differ in the derivative of hardswish at 3.
        c.add(op, [kinks[kinks != 3] if op == "hardswish" else kinks], function)
        c.add(op, [torch.tensor([-1000.0, 1000.0, -40.0, 40.0, 1e-30, -1e-30])], function)
        if options:
            named = {python.get(key, key): value for key, value in options.items()}
            c.add(op, [c.floats(3, 4, **wide), options], lambda x, f=function, o=named: f(x, **o))
    for shape, weights in [([2, 3, 4], 3), ([2, 3], 1), ([5], 1), ([3, 4, 2, 2], 4)]:
        c.add("prelu", [c.floats(*shape), c.floats(weights)], F.prelu)
    c.add("prelu", [torch.tensor([0.0, -0.0, 1.0, -1.0]), torch.tensor([0.3])], F.prelu)
    for shape, dim in [([4], 0), ([3, 6], -1), ([2, 4, 3], 1)]:
        c.add("glu", [c.floats(*shape), dim], lambda x, d=dim: F.glu(x, d))
    for shape, dim in [([5], 0), ([3, 4], -1), ([2, 3, 4], 1)]:
        c.add("softmin", [c.floats(*shape), dim], lambda x, d=dim: F.softmin(x, d))
    for shape, pieces, dim in [([4, 6], 3, -1), ([2, 4, 3], 2, 1)]:
        c.add("maxout", [c.distinct(*shape), pieces, dim], lambda x, k=pieces, d=dim: maxout(x, k, d))
