"""Sampling of images at places of a grid."""

import torch.nn.functional as F


def cases(c):
    pick = c.random.choice
    for _ in range(24):
        align, mode, padding = pick([True, False]), pick(["bilinear", "nearest"]), pick(["zeros", "border", "reflection"])
        batch, channels = pick([1, 2, 3]), pick([1, 2, 3])
        height, width = c.random.randint(1, 6), c.random.randint(1, 6)
        # Centers and edges of pixels: there weights, pixels or reflections change.
        kinks = [
            2 * p / max(1, n - 1) - 1 if align else (2 * p + 1) / n - 1
            for n in (height, width)
            for p in (i / 2 - n for i in range(6 * n))
        ]
        x = c.floats(batch, channels, height, width)
        grid = c.floats(batch, c.random.randint(1, 4), c.random.randint(1, 4), 2, low=-1.9, high=1.9, avoid=kinks, margin=0.005)
        options = {"mode": mode, "paddingMode": padding, "alignCorners": align}
        c.add(
            "gridSample",
            [x, grid, options],
            lambda x, grid: F.grid_sample(x, grid, mode=mode, padding_mode=padding, align_corners=align),
        )
