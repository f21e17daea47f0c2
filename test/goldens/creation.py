"""Creation: values that do not depend on a generator."""

import torch
import torch.nn.functional as F


def cases(c):
    for shape, classes in [([5], 4), ([2, 3], 7), ([], 3)]:
        labels = c.integers(*shape, low=0, high=classes)
        c.add("oneHot", [labels, classes], lambda x, n=classes: F.one_hot(x, n))
        c.add("oneHot", [labels.float(), classes, {"dtype": "f32"}], lambda x, n=classes: F.one_hot(x.long(), n).double())
    for start, end, steps in [(0, 1, 11), (-3, 5, 7), (2, -2, 4), (1, 1, 3), (0.5, 9, 1), (0, 1, 0)]:
        c.add("linspace", [start, end, steps], lambda s=start, e=end, n=steps: torch.linspace(s, e, n))
    for args in [[5], [2, 9, 3], [9, 2, -2], [0, 1, 0.3], [1.5]]:
        c.add("arange", args, lambda a=args: torch.arange(*a))
    for args in [[3], [2, 4], [4, 2], [0]]:
        c.add("eye", args, lambda a=args: torch.eye(*a))
    for op, function in {"zerosLike": torch.zeros_like, "onesLike": torch.ones_like}.items():
        c.add(op, [c.floats(2, 3)], function)
        c.add(op, [c.integers(4)], function)
        c.add(op, [c.bools(2)], function)
    c.add("fullLike", [c.floats(2, 3), 2.5], lambda x: torch.full_like(x, 2.5))
    c.add("full", [[2, 3], 1.5], lambda: torch.full((2, 3), 1.5))
