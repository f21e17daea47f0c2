"""Counting."""

import torch


def cases(c):
    x = c.floats(40, low=-3, high=3)
    c.add("histc", [x, {"bins": 10, "min": -2, "max": 2}], lambda x: torch.histc(x.float(), 10, -2, 2), gradients=False)
    c.add("histc", [x, {"bins": 7}], lambda x: torch.histc(x.float(), 7), gradients=False)
    c.add("histc", [c.floats(5, 6)], lambda x: torch.histc(x.float()), gradients=False)
    c.add("histc", [torch.full([5], 2.0), {"bins": 4}], lambda x: torch.histc(x.float(), 4), gradients=False)
    c.add("histc", [torch.tensor([0.0, 1, 2, 3, 4]), {"bins": 4, "min": 0, "max": 4}],
          lambda x: torch.histc(x.float(), 4, 0, 4), gradients=False)
    i = c.integers(12, high=6)
    c.add("bincount", [i], torch.bincount)
    c.add("bincount", [i, {"minlength": 9}], lambda x: torch.bincount(x, minlength=9))
    c.add("bincount", [i, c.floats(12)], torch.bincount, gradients=False)
    c.add("bincount", [i, c.floats(12), {"minlength": 2}], lambda x, w: torch.bincount(x, w, minlength=2), gradients=False)
