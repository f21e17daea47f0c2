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

    classification(c)
    regression(c)
    questions(c)
    distances(c)
    sequences(c)


def classification(c):
    # Weights, smoothing, ignored classes, probabilities.
    for extra in (0, 0, 1, 2):
        for reduction in REDUCTIONS:
            classes = c.random.randint(2, 7)
            batch, rest = c.random.randint(1, 5), c.shape(rank=extra, high=3)
            x = c.floats(batch, classes, *rest, low=-4, high=4)
            target = c.integers(batch, *rest, low=0, high=classes)
            options, exact = {"reduction": reduction}, {"reduction": reduction}
            if c.random.random() < 0.5:
                target.view(-1)[1:][::3] = -7
                options["ignoreIndex"] = exact["ignore_index"] = -7
            if c.random.random() < 0.7:
                smoothing = c.random.choice([0.1, 0.5, 1.0])
                options["labelSmoothing"] = exact["label_smoothing"] = smoothing
            weight = c.floats(classes, low=0.2, high=2)
            # torch 1.13 has no gradient of the weight of class numbers.
            c.add(
                "crossEntropy",
                [x, target, {**options, "weight": weight}],
                lambda x, y, w, o=exact: F.cross_entropy(x, y, w, **o),
                gradients={0},
            )
            c.add("crossEntropy", [x, target, options], lambda x, y, o=exact: F.cross_entropy(x, y, **o))
            soft = torch.softmax(c.floats(*x.shape), 1)
            for key in ("ignoreIndex", "ignore_index"):
                options.pop(key, None)
                exact.pop(key, None)
            c.add(
                "crossEntropy",
                [x, soft, {**options, "weight": weight}],
                lambda x, y, w, o=exact: F.cross_entropy(x, y, w, **o),
                gradients={0, 1},
            )
            logs = torch.log_softmax(c.floats(*x.shape), 1)
            ignoring = {"reduction": reduction, "ignoreIndex": -7}
            c.add(
                "nllLoss",
                [logs, target, weight, ignoring],
                lambda x, y, w, r=reduction: F.nll_loss(x, y, w, ignore_index=-7, reduction=r),
                gradients={0},
            )
    for p in (1, 2):
        for reduction in REDUCTIONS:
            x = c.distinct(4, 5)
            target, weight = c.integers(4, high=5), c.floats(5, low=0.2, high=2)
            margin = c.random.choice([0.505, 1.003, 2.007])
            options = {"p": p, "margin": margin, "reduction": reduction}
            c.add("multiMarginLoss", [x, target, options], lambda x, y, o=options: F.multi_margin_loss(x, y, **o))
            c.add(
                "multiMarginLoss",
                [x, target, {**options, "weight": weight}],
                lambda x, y, w, o=options: F.multi_margin_loss(x, y, weight=w, **o),
                gradients={0},
            )
    c.add("multiMarginLoss", [c.distinct(6), torch.tensor(2, dtype=torch.int32)], F.multi_margin_loss)


def regression(c):
    for reduction in REDUCTIONS:
        shape = c.shape(rank=c.random.randint(1, 3))
        x, y = c.floats(*shape, low=-4, high=4), c.floats(*shape, low=-4, high=4)
        options = {"reduction": reduction}
        c.add("l1Loss", [x, y, options], lambda x, y, o=options: F.l1_loss(x, y, **o))
        for size in (1, c.random.choice([0.25, 2.5])):
            c.add("smoothL1Loss", [x, y, {"beta": size, **options}], lambda x, y, o=options, b=size: F.smooth_l1_loss(x, y, beta=b, **o))
            c.add("huberLoss", [x, y, {"delta": size, **options}], lambda x, y, o=options, d=size: F.huber_loss(x, y, delta=d, **o))
        rates, counts = c.floats(*shape, low=0.1, high=3), c.floats(*shape, low=0, high=5, avoid=[1])
        for full in (False, True):
            both = {"full": full, **options}
            c.add(
                "poissonNllLoss",
                [x, counts, both],
                lambda x, y, o=both: F.poisson_nll_loss(x, y, **o),
                gradients={0},
            )
            c.add(
                "poissonNllLoss",
                [rates, counts, {"logInput": False, **both}],
                lambda x, y, o=both: F.poisson_nll_loss(x, y, log_input=False, **o),
                gradients={0},
            )
            variance = c.floats(*shape, low=0.2, high=3)
            c.add("gaussianNllLoss", [x, y, variance, both], lambda x, y, v, o=both: F.gaussian_nll_loss(x, y, v, **o))
        one = c.floats(*shape[:-1], 1, low=0.2, high=3)
        c.add("gaussianNllLoss", [x, y, one, options], lambda x, y, v, o=options: F.gaussian_nll_loss(x, y, v, **o))
    low = torch.tensor([[0.0, 1e-8, 0.5]])
    c.add("gaussianNllLoss", [c.floats(1, 3), c.floats(1, 3), low, {"eps": 0.01}], lambda x, y, v: F.gaussian_nll_loss(x, y, v, eps=0.01))


def focal(x, t, alpha=0.25, gamma=2, reduction="none"):
    """torchvision.ops.sigmoid_focal_loss."""
    p = torch.sigmoid(x)
    ce = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    p_t = p * t + (1 - p) * (1 - t)
    loss = ce * ((1 - p_t) ** gamma)
    if alpha >= 0:
        loss = (alpha * t + (1 - alpha) * (1 - t)) * loss
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def questions(c):
    for reduction in REDUCTIONS:
        shape = c.shape(rank=c.random.randint(1, 3))
        options = {"reduction": reduction}
        target = c.floats(*shape, low=0, high=1)
        p, x = c.floats(*shape, low=0.02, high=0.98), c.floats(*shape, low=-6, high=6)
        weight, positive = c.floats(*shape, low=0.2, high=2), c.floats(shape[-1], low=0.2, high=3)
        c.add("binaryCrossEntropy", [p, target, options], lambda x, y, o=options: F.binary_cross_entropy(x, y, **o))
        c.add(
            "binaryCrossEntropy",
            [p, target, weight, options],
            lambda x, y, w, o=options: F.binary_cross_entropy(x, y, w, **o),
            gradients={0, 1},
        )
        op = "binaryCrossEntropyWithLogits"
        c.add(op, [x, target, options], lambda x, y, o=options: F.binary_cross_entropy_with_logits(x, y, **o))
        c.add(
            op,
            [x, target, {"weight": weight, "posWeight": positive, **options}],
            lambda x, y, w, p, o=options: F.binary_cross_entropy_with_logits(x, y, w, pos_weight=p, **o),
            gradients={0},
        )
        c.add("sigmoidFocalLoss", [x, target, options], lambda x, y, r=reduction: focal(x, y, reduction=r))
        more = {"alpha": c.random.choice([-1, 0.7]), "gamma": c.random.choice([0, 0.5, 3]), **options}
        c.add("sigmoidFocalLoss", [x, target, more], lambda x, y, o=more: focal(x, y, **o))
        signs = c.bools(*shape).to(torch.int32) * 2 - 1
        margin = c.random.choice([0.3, 1])
        far = c.floats(*shape, avoid=[margin])
        c.add(
            "hingeEmbeddingLoss",
            [far, signs, {"margin": margin, **options}],
            lambda x, y, o=options, m=margin: F.hinge_embedding_loss(x, y, margin=m, **o),
        )
    edge = [torch.tensor([0.0, 1.0, 0.0, 1.0]), torch.tensor([0.0, 1.0, 1.0, 0.0])]
    c.add("binaryCrossEntropy", edge, F.binary_cross_entropy, gradients={0})
    c.add("binaryCrossEntropyWithLogits", [torch.tensor([100.0, -100.0, 30.0]), torch.tensor([0.0, 1.0, 1.0])], F.binary_cross_entropy_with_logits, gradients={0})
    for reduction in REDUCTIONS + ["batchmean"]:
        x, y = torch.log_softmax(c.floats(3, 5), 1), torch.softmax(c.floats(3, 5), 1)
        options = {"reduction": reduction}
        c.add("klDiv", [x, y, options], lambda x, y, r=reduction: F.kl_div(x, y, reduction=r))
        logs = torch.log_softmax(c.floats(3, 5), 1)
        c.add("klDiv", [x, logs, {"logTarget": True, **options}], lambda x, y, r=reduction: F.kl_div(x, y, reduction=r, log_target=True))
    sure = torch.tensor([[0.0, 1.0, 0.0]])
    c.add("klDiv", [torch.log_softmax(c.floats(1, 3), 1), sure], lambda x, y: F.kl_div(x, y, reduction="mean"), gradients={0})


def distances(c):
    for reduction in REDUCTIONS:
        n, d = c.random.randint(1, 5), c.random.randint(2, 6)
        signs = c.bools(n).to(torch.int32) * 2 - 1
        margin = c.random.choice([-0.503, 0.101])
        options = {"margin": margin, "reduction": reduction}
        a, b = c.floats(n, d), c.floats(n, d)
        c.add("cosineEmbeddingLoss", [a, b, signs, options], lambda x, y, t, o=options: F.cosine_embedding_loss(x, y, t, **o))
        for p in (1, 2, 3):
            options = {"p": p, "margin": 5, "swap": c.random.random() < 0.5, "reduction": reduction}
            triplet = [c.floats(n, d), c.floats(n, d), c.floats(n, d)]
            c.add("tripletMarginLoss", [*triplet, options], lambda x, y, z, o=options: F.triplet_margin_loss(x, y, z, **o))
    c.add("cosineEmbeddingLoss", [c.floats(4), c.floats(4), torch.tensor(1, dtype=torch.int32)], F.cosine_embedding_loss)
    same = c.floats(2, 3)
    c.add("tripletMarginLoss", [same, same.clone(), c.floats(2, 3)], F.triplet_margin_loss)


def sequences(c):
    for reduction in REDUCTIONS * 2:
        T, batch, classes, S = c.random.randint(5, 12), c.random.randint(1, 4), c.random.randint(2, 6), c.random.randint(1, 4)
        x = torch.log_softmax(c.floats(T, batch, classes), 2)
        targets = c.integers(batch, S, low=1, high=classes)
        inputs = [c.random.randint(5, T) for _ in range(batch)]
        lengths = [c.random.randint(0, S) for _ in range(batch)]
        options = {"reduction": reduction, "zeroInfinity": True}
        # The derivative by log probabilities is not what torch gives for them; rows check it.
        c.add(
            "ctcLoss",
            [x, targets, inputs, lengths, options],
            lambda x, y, i=inputs, l=lengths, r=reduction: F.ctc_loss(x, y, i, l, reduction=r, zero_infinity=True),
            gradients=False,
        )
