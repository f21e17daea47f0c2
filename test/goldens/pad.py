"""Padding."""

import torch
import torch.nn.functional as F


def cases(c):
    for _ in range(5):
        shape = c.shape(rank=c.random.randint(1, 4), low=2)
        axes = c.random.randint(1, len(shape))
        amounts = [c.random.randint(-1 if i % 2 else 0, 3) for i in range(2 * axes)]
        value = c.random.choice([0, 1.5, -2])
        c.add("pad", [c.floats(*shape), amounts, {"value": value}], lambda x: F.pad(x, amounts, value=value))
    for mode in ("reflect", "replicate", "circular"):
        for rank in (1, 2, 3):
            if mode == "reflect" and rank == 3:
                continue
            x = c.floats(2, 3, *c.shape(rank=rank, low=4, high=5))
            amounts = [c.random.randint(0, 3) for _ in range(2 * rank)]
            if rank == 3:
                amounts = [c.random.randint(1, 2) for _ in range(6)]
            c.add("pad", [x, amounts, {"mode": mode}], lambda x: F.pad(x, amounts, mode=mode))
    c.add("pad", [c.integers(2, 3), [1, 2], {"value": 7}], lambda x: F.pad(x, [1, 2], value=7))
