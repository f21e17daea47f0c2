"""Sorting along an axis, the k largest, distinct values, positions in sorted rows."""

import torch

nan, inf = float("nan"), float("inf")


def cases(c):
    ties = torch.tensor([[1.0, 3, 1, -2, 3, 1], [0, -0.0, 0, -1, 0, -1]])
    odd = torch.tensor([[1.0, nan, -inf, 0, inf, nan, -3], [nan, 2, 2, -0.0, 0, 1e-42, -1e-42]])
    for _ in range(5):
        shape = c.shape(rank=c.random.randint(1, 4), high=8)
        x = c.distinct(*shape)
        dim, descending = c.random.randrange(-len(shape), len(shape)), c.random.random() < 0.5
        c.add("sort", [x, dim, {"descending": descending}], lambda x: torch.sort(x, dim, descending=descending))
        c.add("argsort", [x, dim, {"descending": descending}], lambda x: torch.argsort(x, dim, descending=descending))
        k = c.random.randint(0, shape[dim])
        c.add("topk", [x, k, {"dim": dim, "largest": descending}], lambda x: torch.topk(x, k, dim, largest=descending))
    for descending in (False, True):
        for x in (ties, odd, c.integers(3, 9, low=-3, high=3)):
            c.add("sort", [x, {"descending": descending}],
                  lambda x: torch.sort(x, dim=-1, stable=True, descending=descending), gradients=False)
    c.add("sort", [c.distinct(2, 150), 1], lambda x: torch.sort(x, 1))
    c.add("topk", [c.distinct(3, 150), 100], lambda x: torch.topk(x, 100))
    c.add("topk", [c.distinct(3, 150), 3, 1], lambda x: torch.topk(x, 3, 1))
    c.add("topk", [c.integers(3, 1, low=-50, high=50), 1], lambda x: torch.topk(x, 1))
    c.add("sort", [torch.tensor(2.5)], torch.sort)

    for x in (torch.tensor([3.0, 1, 2, 3, -1, 1, 1]), c.integers(4, 5, low=-3, high=3), c.bools(6)):
        c.add("unique", [x], torch.unique, gradients=False)
        c.add("unique", [x, {"returnInverse": True, "returnCounts": True}],
              lambda x: torch.unique(x, return_inverse=True, return_counts=True), gradients=False)
        c.add("unique", [x, {"returnCounts": True}], lambda x: torch.unique(x, return_counts=True), gradients=False)
    x = c.integers(6, 2, low=0, high=2)
    for dim in (0, 1):
        c.add("unique", [x, {"dim": dim, "returnInverse": True, "returnCounts": True}],
              lambda x: torch.unique(x, dim=dim, return_inverse=True, return_counts=True), gradients=False)

    rows = torch.tensor([[-1.0, 0, 0, 2, 5], [1, 2, 3, 4, 5]])
    for right in (False, True):
        c.add("searchsorted", [rows, torch.tensor([[0.0, -3, 9], [3, 2.5, nan]]), {"right": right}],
              lambda s, v: torch.searchsorted(s, v, right=right), gradients=False)
        c.add("searchsorted", [rows[0], c.floats(2, 3), {"side": "right" if right else "left"}],
              lambda s, v: torch.searchsorted(s.contiguous(), v, right=right), gradients=False)
    c.add("searchsorted", [torch.arange(5, dtype=torch.int32), c.integers(4, low=-2, high=7)], torch.searchsorted)
    c.add("searchsorted", [rows[1], 3], lambda s: torch.searchsorted(s, 3), gradients=False)
