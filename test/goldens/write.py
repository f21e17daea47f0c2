"""In-place writes."""

import torch


def cases(c):
    for _ in range(4):
        shape = c.shape(high=4)
        x, source = c.floats(*shape), c.floats(*c.broadcastable(shape))
        c.add("copy", [x, source], lambda x, s: x.copy_(s), gradients=False)
    c.add("fill", [c.floats(3, 4), 2.5], lambda x: x.fill_(2.5), gradients=False)
    c.add("fill", [c.integers(5), -3], lambda x: x.fill_(-3), gradients=False)
    c.add("zero", [c.floats(3, 4)], lambda x: x.zero_(), gradients=False)
