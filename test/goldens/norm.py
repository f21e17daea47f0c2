"""Normalizations, norms and what divides by them."""

import torch
import torch.nn.functional as F


def cases(c):
    # batchNorm: channels beside each other, runs, images; with and without running statistics.
    for extra in (0, 0, 1, 2, 3):
        for training in (True, False):
            channels = c.random.randint(1, 9)
            x = c.floats(c.random.randint(2, 6), channels, *c.shape(rank=extra, high=4))
            options = {"training": training, "eps": c.random.choice([1e-5, 1e-3, 0.1])}
            affine = [c.floats(channels, low=0.3, high=2), c.floats(channels)]
            statistics = [c.floats(channels), c.floats(channels, low=0.3, high=2)]

            def run(x, *rest, o=options, n=len(affine)):
                mean, var, weight, bias = rest
                return F.batch_norm(x, mean.clone(), var.clone(), weight, bias, training=o["training"], eps=o["eps"])

            c.add("batchNorm", [x, *statistics, *affine, options], run, gradients={0, 3, 4})
    c.add(
        "batchNorm",
        [c.floats(7, 5), None, None, {"training": True}],
        lambda x: F.batch_norm(x, None, None, training=True),
    )
    weight = c.floats(3, low=0.5, high=2)
    c.add(
        "batchNorm",
        [c.floats(4, 3, 6), None, None, {"training": True, "weight": weight}],
        lambda x, w: F.batch_norm(x, None, None, w, None, training=True),
    )

    for _ in range(4):
        last = c.shape(rank=c.random.randint(1, 2), low=2, high=9)
        x = c.floats(*c.shape(rank=c.random.randint(0, 2), high=4), *last)
        affine = [c.floats(*last, low=0.3, high=2), c.floats(*last)]
        c.add("layerNorm", [x, last, *affine], lambda x, w, b, s=last: F.layer_norm(x, s, w, b))
        c.add("layerNorm", [x, last, {"eps": 0.01}], lambda x, s=last: F.layer_norm(x, s, eps=0.01))
        # torch 1.13 has no rms_norm: x / sqrt(mean(x^2) + eps) * weight.
        axes = list(range(-len(last), 0))
        c.add(
            "rmsNorm",
            [x, last, affine[0], {"eps": 1e-4}],
            lambda x, w, a=axes: x * torch.rsqrt(x.square().mean(a, keepdim=True) + 1e-4) * w,
        )

    for _ in range(5):
        groups = c.random.randint(1, 3)
        channels = groups * c.random.randint(1, 4)
        x = c.floats(c.random.randint(1, 4), channels, *c.shape(rank=c.random.randint(1, 2), low=2, high=4))
        affine = [c.floats(channels, low=0.3, high=2), c.floats(channels)]
        c.add("groupNorm", [x, groups, *affine], lambda x, w, b, g=groups: F.group_norm(x, g, w, b))
        options = {"weight": affine[0], "bias": affine[1], "eps": 1e-3}
        c.add("instanceNorm", [x, options], lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=1e-3))
    c.add("groupNorm", [c.floats(5, 12), 3], lambda x: F.group_norm(x, 3))
    c.add("instanceNorm", [c.floats(2, 3, 5)], lambda x: F.instance_norm(x))

    for size in (1, 2, 3, 5):
        x = c.floats(2, c.random.randint(1, 7), *c.shape(rank=c.random.randint(1, 2), high=4))
        c.add("localResponseNorm", [x, size], lambda x, n=size: F.local_response_norm(x, n))
        options = {"alpha": 0.7, "beta": 0.5, "k": 2.5}
        c.add("localResponseNorm", [x, size, options], lambda x, n=size, o=options: F.local_response_norm(x, n, **o))

    for p in (None, 1, 2, 3.5, 0.5, float("inf"), float("-inf")):
        # JSON has no infinities: those are checked by rows.
        if p is not None and p in (float("inf"), float("-inf")):
            continue
        options = {} if p is None else {"p": p}
        x = c.floats(*c.shape(rank=3, low=2), avoid=[0])
        dim = c.random.randrange(-3, 3)
        order = 2 if p is None else p
        c.add("norm", [x, dim, options], lambda x, d=dim, q=order: torch.linalg.vector_norm(x, q, d))
        c.add(
            "norm",
            [x, [0, 2], {**options, "keepdim": True}],
            lambda x, q=order: torch.linalg.vector_norm(x, q, (0, 2), keepdim=True),
        )
        c.add("normalize", [x, {**options, "dim": dim}], lambda x, d=dim, q=order: F.normalize(x, q, d))
    zero = torch.zeros(2, 3)
    c.add("norm", [zero, 1], lambda x: torch.linalg.vector_norm(x, 2, 1))
    c.add("normalize", [zero, {"eps": 0.1}], lambda x: F.normalize(x, eps=0.1))
    c.add("normalize", [c.floats(3, 4, low=-0.01, high=0.01), {"eps": 0.5}], lambda x: F.normalize(x, eps=0.5))

    for dim in (None, 0, -1, 2):
        shape = c.shape(rank=3, low=2)
        args = [] if dim is None else [dim]
        a, b = c.floats(*shape, avoid=[0]), c.floats(*shape, avoid=[0])
        c.add("cosineSimilarity", [a, b, *args], lambda x, y, d=1 if dim is None else dim: F.cosine_similarity(x, y, d))
    short = [c.floats(2, 3, low=-0.01, high=0.01), c.floats(2, 3)]
    c.add("cosineSimilarity", [*short, {"eps": 0.1}], lambda x, y: F.cosine_similarity(x, y, eps=0.1))
    c.add(
        "cosineSimilarity",
        [c.floats(4, 1, 3), c.floats(5, 3), -1],
        lambda x, y: F.cosine_similarity(x, y.unsqueeze(0), -1),
    )
