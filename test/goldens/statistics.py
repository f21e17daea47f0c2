"""Variance, standard deviation, log-sum-exp."""

import torch

from reduce import drawn


def options(dim, keepdim):
    return {"keepdim": keepdim} if dim is None else {"dim": dim, "keepdim": keepdim}


def everywhere(x, dim):
    return list(range(x.dim())) if dim is None else dim


def cases(c):
    for _ in range(6):
        shape = c.shape(rank=c.random.randint(1, 4), low=2)
        x = c.floats(*shape)
        dim, keepdim = drawn(c, len(shape)), c.random.random() < 0.5
        correction = c.random.choice([0, 1, 1, 2, 3])
        more = {"correction": correction} if correction != 1 else {}
        for op, function in {"variance": torch.var, "std": torch.std}.items():
            n = x.numel() if dim is None else torch.tensor([shape[d] for d in ([dim] if isinstance(dim, int) else dim)]).prod()
            if n > correction:
                c.add(op, [x, {**options(dim, keepdim), **more}],
                      lambda x: function(x, dim=everywhere(x, dim), correction=correction, keepdim=keepdim))
    x = c.floats(4, 5)
    c.add("variance", [x, {"unbiased": False}], lambda x: x.var(unbiased=False))
    c.add("std", [x, 1, {"unbiased": False}], lambda x: x.std(1, unbiased=False))
    c.add("variance", [c.floats(1, 5), 0], lambda x: x.var(0), gradients=False)  # too few: NaN
    c.add("std", [torch.full([3, 4], 0.3), 1], lambda x: x.std(1))  # the gradient at 0 is 0
    c.add("variance", [c.floats(300, low=999, high=1001)], torch.var)  # a mean far from 0
    c.add("varMean", [x], lambda x: torch.var_mean(x, unbiased=True))
    c.add("varMean", [x, 0, {"correction": 0, "keepdim": True}], lambda x: torch.var_mean(x, dim=[0], correction=0, keepdim=True))
    for _ in range(4):
        shape = c.shape(rank=c.random.randint(1, 4))
        dim, keepdim = drawn(c, len(shape)), c.random.random() < 0.5
        dim = 0 if dim is None else dim
        c.add("logsumexp", [c.floats(*shape, low=-5, high=5), dim, {"keepdim": keepdim}],
              lambda x: torch.logsumexp(x, dim, keepdim=keepdim))
    inf = float("inf")
    extremes = torch.tensor([[100.0, 101, -inf], [-inf, -inf, -inf], [inf, 0, 1], [float("nan"), 0, 1], [-200, -201, -202]])
    c.add("logsumexp", [extremes, 1], lambda x: torch.logsumexp(x, 1), gradients=False)
    c.add("logsumexp", [torch.tensor([[200.0, 201], [-200, -205]]), 1], lambda x: torch.logsumexp(x, 1))
