"""Losses."""

import torch
import torch.nn.functional as F

REDUCTIONS = ["mean", "sum", "none"]


def cases(c):
    for _ in range(2):
        for reduction in REDUCTIONS:
            shape = c.shape()
            options = {"reduction": reduction}
            c.add("mseLoss", [c.floats(*shape), c.floats(*shape), options], lambda x, y, o=options: F.mse_loss(x, y, **o))
    for extra in (0, 0, 1, 2):
        for reduction in REDUCTIONS:
            classes = c.random.randint(1, 9)
            batch, rest = c.random.randint(1, 6), c.shape(rank=extra, high=3)
            x = c.floats(batch, classes, *rest, low=-4, high=4)
            target = c.integers(batch, *rest, low=0, high=classes)
            options = {"reduction": reduction}
            exact = dict(options)
            if c.random.random() < 0.6:
                # About a third of the rows count for nothing; the first one counts, so that the mean exists.
                ignored = c.random.choice([-100, -1, 255])
                mask = torch.rand(target.shape, generator=c.generator) < 0.3
                mask.view(-1)[0] = False
                target = torch.where(mask, torch.tensor(ignored, dtype=torch.int32), target)
                options["ignoreIndex"] = exact["ignore_index"] = ignored
            c.add("crossEntropy", [x, target, options], lambda x, y, o=exact: F.cross_entropy(x, y, **o))
    # Labels as whole f32 numbers, which PyTorch does not take; one row without a batch; very sure logits.
    labels = torch.tensor([3.0, 0.0, 2.0])
    c.add("crossEntropy", [c.floats(3, 4), labels], lambda x, y: F.cross_entropy(x, y.long()), gradients={0})
    c.add("crossEntropy", [c.floats(5), torch.tensor(4, dtype=torch.int32)], F.cross_entropy)
    c.add("crossEntropy", [c.floats(4, 3, low=-200, high=200), c.integers(4, high=3)], F.cross_entropy)
