"""Layers: PyTorch's state dict, inputs, outputs, gradients of inputs and parameters, and buffers after a pass.

Replayed by test/nn/goldens.test.ts: `new nn[layer](...args)` with the state loaded (strictly) gives the same. Computed in
float64 from f32 values.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from generate import packed


def flat(value):
    """Tensors in tuples and lists, in order; None stays."""
    if isinstance(value, (tuple, list)):
        return [t for item in value for t in flat(item)]
    return [value]


def layer(c, name, args, module, inputs, call=None, run=None, train=True, spread=0.5, tolerance=None):
    """Adds a case. `args`: gradine's constructor arguments; `inputs`: tensors (lists of them, None) of the forward call;
    `call`: gradine's options of the call, tensors in it being inputs too; `run(module, *tensors)`: the same in PyTorch."""
    module.train(train)
    for key, p in module.named_parameters():
        p.data = c.floats(*p.shape, low=-spread, high=spread, digits=3)
    for key, b in module.named_buffers():
        if b.dtype == torch.float32 and "running" in key:
            b.data = c.floats(*b.shape, low=0.5, high=1.5, digits=3)
        elif b.dtype == torch.float32:
            b.data = torch.round(b.data * 1000) / 1000
    state = {key: packed(v.float() if v.dtype == torch.float64 else v) for key, v in module.state_dict().items()}
    tensors = []

    def describe(arg):
        if isinstance(arg, torch.Tensor):
            tensors.append(arg)
            return {"$": len(tensors) - 1}
        if isinstance(arg, (list, tuple)):
            return [describe(item) for item in arg]
        if isinstance(arg, dict):
            return {key: describe(value) for key, value in arg.items()}
        return arg

    given = [describe(x) for x in inputs] + ([describe(call)] if call is not None else [])
    case = {"layer": name, "args": args, "train": train, "state": state, "given": given}
    case["inputs"] = [packed(x) for x in tensors]
    module = module.double()
    wide = {torch.float32: torch.float64, torch.int32: torch.int64}
    exact = [x.clone().to(wide.get(x.dtype, x.dtype)) for x in tensors]
    chosen = [i for i, x in enumerate(exact) if x.dtype == torch.float64 and torch.isfinite(x).all()]
    for i in chosen:
        exact[i].requires_grad_(True)
    outputs = flat((run or (lambda m, *xs: m(*xs)))(module, *exact))
    outputs = [y for y in outputs if y is not None]
    case["outputs"] = [packed(y) for y in outputs]
    cotangents = [c.floats(*y.shape, low=-1, high=1, digits=3) for y in outputs]
    case["cotangents"] = [packed(v)["data"] for v in cotangents]
    names = [key for key, p in module.named_parameters() if p.requires_grad]
    targets = [exact[i] for i in chosen] + [dict(module.named_parameters())[key] for key in names]
    got = torch.autograd.grad(outputs, targets, [v.double() for v in cotangents], allow_unused=True)
    got = [torch.zeros_like(t) if g is None else g for g, t in zip(got, targets)]
    case["gradients"] = {str(i): packed(g)["data"] for i, g in zip(chosen, got)}
    case["parameters"] = {key: packed(g)["data"] for key, g in zip(names, got[len(chosen):])}
    after = {key: packed(b.float() if b.dtype == torch.float64 else b)["data"] for key, b in module.named_buffers()}
    if train and after:
        case["after"] = after
    if tolerance is not None:
        case["tolerance"] = tolerance
    c.cases.append(case)


def linears(c):
    for bias in (True, False):
        layer(c, "Linear", [4, 3, {"bias": bias}], nn.Linear(4, 3, bias), [c.floats(2, 5, 4)])
        layer(c, "Bilinear", [3, 2, 4, {"bias": bias}], nn.Bilinear(3, 2, 4, bias), [c.floats(5, 3), c.floats(5, 2)])
    layer(c, "Bilinear", [2, 2, 3], nn.Bilinear(2, 2, 3), [c.floats(2, 3, 2), c.floats(2, 3, 2)])
    layer(c, "Identity", [], nn.Identity(), [c.floats(2, 3)])
    layer(c, "Flatten", [], nn.Flatten(), [c.floats(2, 3, 4)])
    layer(c, "Flatten", [0, 1], nn.Flatten(0, 1), [c.floats(2, 3, 4)])
    layer(c, "Unflatten", [1, [2, 3]], nn.Unflatten(1, (2, 3)), [c.floats(2, 6, 4)])


def convolutions(c):
    r = c.random
    kinds = {1: (nn.Conv1d, "Conv1d"), 2: (nn.Conv2d, "Conv2d"), 3: (nn.Conv3d, "Conv3d")}
    for axes, times in ((1, 4), (2, 8), (3, 2)):
        for i in range(times):
            groups = r.choice([1, 1, 2])
            cin, cout = groups * r.randint(1, 2), groups * r.randint(1, 2)
            size = [r.randint(5, 6 if axes < 3 else 5) for _ in range(axes)]
            o = {
                "stride": r.randint(1, 2),
                "padding": r.choice([0, 1]),
                "dilation": r.choice([1, 1, 2]),
                "groups": groups,
                "bias": r.random() < 0.7,
            }
            if axes == 2 and i % 4 == 1:
                o.update(stride=[1, 2], padding=[1, 0], dilation=[2, 1])
            if axes < 3 and i % 4 == 2:
                o["padding"], o["stride"] = "same", 1
            kernel = r.choice([1, 2, 3]) if axes != 2 or i % 2 else [3, 2]
            kind, name = kinds[axes]
            m = kind(cin, cout, kernel, **o)
            layer(c, name, [cin, cout, kernel, o], m, [c.floats(2, cin, *size, digits=2)])
    for mode in ("reflect", "replicate", "circular"):
        o = {"padding": [2, 1], "paddingMode": mode}
        m = nn.Conv2d(2, 2, 3, padding=(2, 1), padding_mode=mode)
        layer(c, "Conv2d", [2, 2, 3, o], m, [c.floats(1, 2, 4, 4)])
    m = nn.Conv1d(2, 2, 4, padding="same", padding_mode="circular")
    layer(c, "Conv1d", [2, 2, 4, {"padding": "same", "paddingMode": "circular"}], m, [c.floats(1, 2, 6)])
    for axes, kind, name in ((1, nn.ConvTranspose1d, "ConvTranspose1d"), (2, nn.ConvTranspose2d, "ConvTranspose2d")):
        for i in range(4):
            groups = r.choice([1, 2])
            cin, cout = groups * r.randint(1, 2), groups * r.randint(1, 2)
            stride = r.randint(1, 3)
            out = r.randint(0, stride - 1)
            pad = r.randint(0, 1)
            m = kind(cin, cout, 3, stride, pad, out, groups, i % 2 == 0, 1)
            o = {"stride": stride, "padding": pad, "outputPadding": out, "groups": groups, "bias": i % 2 == 0}
            layer(c, name, [cin, cout, 3, o], m, [c.floats(2, cin, *[3] * axes)])


def pools(c):
    for n, axes in (("1d", 1), ("2d", 2)):
        size = [7, 6][:axes]
        x = lambda: c.distinct(2, 2, *size)
        for k, o, t in (
            (2, {}, {}),
            (3, {"stride": 2, "padding": 1}, {"stride": 2, "padding": 1}),
            (2, {"stride": 3, "ceilMode": True}, {"stride": 3, "ceil_mode": True}),
            (3, {"stride": 1, "dilation": 2}, {"stride": 1, "dilation": 2}),
        ):
            layer(c, "MaxPool" + n, [k, o], getattr(nn, "MaxPool" + n)(k, **t), [x()])
            if "dilation" not in o:
                layer(c, "AvgPool" + n, [k, o], getattr(nn, "AvgPool" + n)(k, **t), [x()])
        t = getattr(nn, "AvgPool" + n)(3, 2, 1, count_include_pad=False)
        layer(c, "AvgPool" + n, [3, {"stride": 2, "padding": 1, "countIncludePad": False}], t, [x()])
        for kind in ("AdaptiveAvgPool", "AdaptiveMaxPool"):
            for out in (1, 3) if axes == 1 else (1, [3, 2], [None, 4]):
                layer(c, kind + n, [out], getattr(nn, kind + n)(out), [x()])
    for o, t in (
        ({"scaleFactor": 2}, {"scale_factor": 2}),
        ({"size": [5, 7], "mode": "bilinear"}, {"size": (5, 7), "mode": "bilinear"}),
        ({"scaleFactor": 2, "mode": "bilinear", "alignCorners": True}, {"scale_factor": 2, "mode": "bilinear", "align_corners": True}),
    ):
        layer(c, "Upsample", [o], nn.Upsample(**t), [c.floats(1, 2, 3, 4)])
    for kind in ("ZeroPad2d", "ReflectionPad2d"):
        for p in (1, [1, 2, 0, 2]):
            layer(c, kind, [p], getattr(nn, kind)(p if p == 1 else tuple(p)), [c.floats(1, 2, 3, 4)])


class RMSNorm(nn.Module):
    """torch.nn.RMSNorm as of 2.4, which 1.13 lacks: its documented formula."""

    def __init__(self, shape, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape))
        self.eps = eps

    def forward(self, x):
        axes = tuple(range(-self.weight.dim(), 0))
        return x / torch.sqrt((x * x).mean(axes, keepdim=True) + self.eps) * self.weight


def norms(c):
    for train in (True, False):
        for shape, kind in (([6, 3], "1d"), ([4, 3, 5], "1d"), ([2, 3, 3, 4], "2d")):
            for o, t in (
                ({}, {}),
                ({"eps": 0.01, "momentum": 0.3}, {"eps": 0.01, "momentum": 0.3}),
                ({"affine": False, "momentum": None}, {"affine": False, "momentum": None}),
                ({"trackRunningStats": False}, {"track_running_stats": False}),
            ):
                layer(c, "BatchNorm" + kind, [3, o], getattr(nn, "BatchNorm" + kind)(3, **t), [c.floats(*shape)], train=train)
        for shape, kind in (([2, 3, 5], "1d"), ([2, 3, 3, 4], "2d")):
            for o, t in (({}, {}), ({"affine": True, "trackRunningStats": True}, {"affine": True, "track_running_stats": True})):
                m = getattr(nn, "InstanceNorm" + kind)(3, **t)
                layer(c, "InstanceNorm" + kind, [3, o], m, [c.floats(*shape)], train=train)
    layer(c, "InstanceNorm1d", [3], nn.InstanceNorm1d(3), [c.floats(3, 5)])
    layer(c, "LayerNorm", [4], nn.LayerNorm(4), [c.floats(2, 3, 4)])
    layer(c, "LayerNorm", [[3, 4], {"eps": 0.1}], nn.LayerNorm((3, 4), 0.1), [c.floats(2, 3, 4)])
    layer(c, "LayerNorm", [4, {"elementwiseAffine": False}], nn.LayerNorm(4, elementwise_affine=False), [c.floats(2, 4)])
    layer(c, "RMSNorm", [4, {"eps": 1e-6}], RMSNorm([4], 1e-6), [c.floats(2, 3, 4)])
    layer(c, "RMSNorm", [[3, 4], {"eps": 0.1}], RMSNorm([3, 4], 0.1), [c.floats(2, 3, 4)])
    for groups in (1, 2, 4):
        layer(c, "GroupNorm", [groups, 4], nn.GroupNorm(groups, 4), [c.floats(2, 4, 3, 2)])
    layer(c, "GroupNorm", [2, 4, {"affine": False, "eps": 0.01}], nn.GroupNorm(2, 4, 0.01, False), [c.floats(2, 4, 5)])
    for size, o in ((3, {}), (2, {"alpha": 0.5, "beta": 0.5, "k": 2}), (5, {"alpha": 1.5})):
        layer(c, "LocalResponseNorm", [size, o], nn.LocalResponseNorm(size, **o), [c.floats(2, 6, 2, 3)])
    for kind in ("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout"):
        x = c.floats(2, 3, 4) if kind != "Dropout2d" else c.floats(2, 3, 2, 2)
        layer(c, kind, [0.4], getattr(nn, kind)(0.4), [x], train=False)


def activations(c):
    plain = "ReLU Sigmoid Tanh ReLU6 SELU SiLU Mish Hardsigmoid Hardswish Softsign LogSigmoid"
    for kind in plain.split():
        layer(c, kind, [], getattr(nn, kind)(), [c.floats(3, 4, low=-7, high=7, avoid=(0, -3, 3, 6))])
    for kind, o, t in (
        ("LeakyReLU", {}, {}),
        ("LeakyReLU", {"negativeSlope": 0.2}, {"negative_slope": 0.2}),
        ("ELU", {}, {}),
        ("ELU", {"alpha": 0.5}, {"alpha": 0.5}),
        ("Hardtanh", {}, {}),
        ("Hardtanh", {"minVal": -2, "maxVal": 0.5}, {"min_val": -2, "max_val": 0.5}),
        ("Softplus", {}, {}),
        ("Softplus", {"beta": 2, "threshold": 3}, {"beta": 2, "threshold": 3}),
        ("GELU", {}, {}),
        ("GELU", {"approximate": "tanh"}, {"approximate": "tanh"}),
        ("PReLU", {}, {}),
        ("PReLU", {"numParameters": 4, "init": 0.1}, {"num_parameters": 4, "init": 0.1}),
    ):
        layer(c, kind, [o], getattr(nn, kind)(**t), [c.floats(3, 4, low=-4, high=4, avoid=(0, -1, 1, -2, 0.5, 1.5))])
    for kind in ("Softmax", "LogSoftmax", "Softmin", "GLU"):
        layer(c, kind, [1], getattr(nn, kind)(1), [c.floats(3, 4, 2)])
        layer(c, kind, [-1], getattr(nn, kind)(-1), [c.floats(3, 4)])


def embeddings(c):
    layer(c, "Embedding", [5, 3], nn.Embedding(5, 3), [c.integers(2, 4, high=5)])
    layer(c, "Embedding", [5, 3, {"paddingIdx": 2}], nn.Embedding(5, 3, padding_idx=2), [c.integers(2, 4, high=5)])
    for mode in ("sum", "mean", "max"):
        m = lambda **k: nn.EmbeddingBag(6, 3, mode=mode, **k)
        layer(c, "EmbeddingBag", [6, 3, {"mode": mode}], m(), [c.integers(3, 4, high=6)])
        offsets = torch.tensor([0, 2, 2, 5], dtype=torch.int32)
        layer(c, "EmbeddingBag", [6, 3, {"mode": mode, "paddingIdx": 1}], m(padding_idx=1), [c.integers(7, high=6), offsets])
    weights = c.floats(3, 4)
    run = lambda m, x, w: m(x, per_sample_weights=w)
    layer(c, "EmbeddingBag", [6, 3, {"mode": "sum"}], nn.EmbeddingBag(6, 3, mode="sum"), [c.integers(3, 4, high=6), None, weights], run=run)


def recurrent(c):
    r = c.random
    for name in ("RNN", "LSTM", "GRU"):
        for i in range(7):
            o = {
                "numLayers": r.choice([1, 2]),
                "bias": r.random() < 0.8,
                "batchFirst": r.random() < 0.5,
                "bidirectional": r.random() < 0.5,
            }
            t = {"num_layers": o["numLayers"], "bias": o["bias"], "batch_first": o["batchFirst"], "bidirectional": o["bidirectional"]}
            if name == "RNN" and i % 2:
                o["nonlinearity"] = t["nonlinearity"] = "relu"
            m = getattr(nn, name)(3, 2, **t)
            unbatched = i == 5
            x = c.floats(4, 3) if unbatched else c.floats(*((2, 4, 3) if o["batchFirst"] else (4, 2, 3)))
            rows = o["numLayers"] * (2 if o["bidirectional"] else 1)
            state = lambda: c.floats(rows, 2) if unbatched else c.floats(rows, 2, 2)
            inputs = [x]
            run = None
            if i % 3:
                inputs.append([state(), state()] if name == "LSTM" else state())
                if name == "LSTM":
                    run = lambda m, x, h, c0: m(x, (h, c0))
            call = None
            if i in (2, 3, 4):  # padded sequences: PyTorch's packed ones
                lengths = [4, 2] if i != 3 else [1, 3]
                call = {"lengths": lengths}
                first = o["batchFirst"]
                if len(inputs) == 1:
                    inputs.append(None)

                def run(m, x, *state, lengths=lengths, first=first):
                    p = nn.utils.rnn.pack_padded_sequence(x, lengths, first, enforce_sorted=False)
                    y, s = m(p, *( [tuple(state)] if len(state) == 2 else state))
                    return nn.utils.rnn.pad_packed_sequence(y, first, total_length=4)[0], s

            layer(c, name, [3, 2, o], m, inputs, call, run, spread=0.8)
    for name in ("RNNCell", "LSTMCell", "GRUCell"):
        for bias in (True, False):
            m = getattr(nn, name)(3, 2, bias)
            layer(c, name, [3, 2, {"bias": bias}], m, [c.floats(4, 3)], spread=0.8)
            if name == "LSTMCell":
                run = lambda m, x, h, c0: m(x, (h, c0))
                layer(c, name, [3, 2, {"bias": bias}], m.float(), [c.floats(4, 3), [c.floats(4, 2), c.floats(4, 2)]], run=run, spread=0.8)
            else:
                layer(c, name, [3, 2, {"bias": bias}], m.float(), [c.floats(4, 3), c.floats(4, 2)], spread=0.8)


def attentions(c):
    r = c.random
    L, S, N, E = 4, 3, 2, 4
    for i in range(10):
        first = i % 2 == 1
        o = {"batchFirst": first, "bias": i != 4}
        t = {"batch_first": first, "bias": i != 4}
        if i in (2, 3):
            o.update(addBiasKv=True)
            t.update(add_bias_kv=True)
        if i in (3, 5):
            o.update(addZeroAttn=True)
            t.update(add_zero_attn=True)
        kd, vd = (3, 5) if i in (6, 7) else (E, E)
        if kd != E:
            o.update(kdim=kd, vdim=vd)
            t.update(kdim=kd, vdim=vd)
        shape = lambda n, e: (N, n, e) if first else (n, N, e)
        q, k, v = c.floats(*shape(L, E)), c.floats(*shape(S, kd)), c.floats(*shape(S, vd))
        call, masks = {}, {}
        if i % 3 == 1:
            pad = torch.tensor([[False, False, True], [False, True, False]])
            call["keyPaddingMask"] = pad
        if i % 4 == 2:
            call["attnMask"] = c.floats(L, S)
        elif i % 4 == 3:
            call["attnMask"] = torch.tensor([[False, True, False], [False, False, True], [True, False, False], [False, False, False]])
        elif i == 8:
            call["attnMask"] = c.floats(N * 2, L, S)
        if i in (0, 5, 9):
            call["needWeights"] = False
        if i == 7:
            call["averageAttnWeights"] = False
        order = [key for key in call if isinstance(call[key], torch.Tensor)]

        def run(m, q, k, v, *extra, call=call, order=order):
            names = {"keyPaddingMask": "key_padding_mask", "attnMask": "attn_mask"}
            given = {names[key]: x for key, x in zip(order, extra)}
            return m(q, k, v, need_weights=call.get("needWeights", True),
                     average_attn_weights=call.get("averageAttnWeights", True), **given)

        layer(c, "MultiheadAttention", [E, 2, o], nn.MultiheadAttention(E, 2, **t), [q, k, v], call, run)
    x = c.floats(3, E)
    layer(c, "MultiheadAttention", [E, 2], nn.MultiheadAttention(E, 2), [x, c.floats(2, E), c.floats(2, E)])


def transformers(c):
    E = 4
    for i in range(4):
        o = {"dimFeedforward": 6, "dropout": 0, "activation": "gelu" if i % 2 else "relu", "batchFirst": i % 2 == 0, "normFirst": i >= 2}
        t = dict(dim_feedforward=6, dropout=0.0, activation=o["activation"], batch_first=o["batchFirst"], norm_first=o["normFirst"])
        x = c.floats(2, 3, E) if o["batchFirst"] else c.floats(3, 2, E)
        causal = torch.triu(torch.ones(3, 3), 1).bool()
        pad = torch.tensor([[False, False, True], [False, False, False]])
        m = nn.TransformerEncoderLayer(E, 2, **t)
        call = [None, {"mask": causal}, {"srcKeyPaddingMask": pad}, {"isCausal": True}][i]
        run = [
            None,
            lambda m, x, mask: m(x, src_mask=mask),
            lambda m, x, pad: m(x, src_key_padding_mask=pad),
            lambda m, x: m(x, src_mask=causal),
        ][i]
        layer(c, "TransformerEncoderLayer", [E, 2, o], m, [x], call, run)
        memory = c.floats(2, 2, E)
        m = nn.TransformerDecoderLayer(E, 2, **t)
        mem = c.floats(3, 2)
        call = [None, {"tgtIsCausal": True}, {"tgtMask": causal, "memoryMask": mem}, {"tgtKeyPaddingMask": pad}][i]
        run = [
            None,
            lambda m, x, y: m(x, y, tgt_mask=causal),
            lambda m, x, y, a, b: m(x, y, tgt_mask=a, memory_mask=b),
            lambda m, x, y, p: m(x, y, tgt_key_padding_mask=p),
        ][i]
        layer(c, "TransformerDecoderLayer", [E, 2, o], m, [x, memory], call, run)


def losses(c):
    x, y = c.floats(3, 4), c.floats(3, 4)
    p = c.floats(3, 4, low=0.1, high=0.9)
    labels = c.integers(3, high=4)
    for red in ("mean", "sum", "none"):
        o = {"reduction": red}
        for kind in ("L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss"):
            layer(c, kind, [o], getattr(nn, kind)(**o), [x, y])
        layer(c, "SmoothL1Loss", [{**o, "beta": 0.4}], nn.SmoothL1Loss(**o, beta=0.4), [x, y])
        layer(c, "HuberLoss", [{**o, "delta": 0.4}], nn.HuberLoss(**o, delta=0.4), [x, y])
        layer(c, "CrossEntropyLoss", [o], nn.CrossEntropyLoss(**o), [x, labels])
        layer(c, "CrossEntropyLoss", [{**o, "labelSmoothing": 0.2, "ignoreIndex": 1}], nn.CrossEntropyLoss(**o, label_smoothing=0.2, ignore_index=1), [x, labels])
        layer(c, "NLLLoss", [o], nn.NLLLoss(**o), [x, labels])
        layer(c, "BCELoss", [o], nn.BCELoss(**o), [p, c.floats(3, 4, low=0, high=1)])
        layer(c, "BCEWithLogitsLoss", [o], nn.BCEWithLogitsLoss(**o), [x, c.floats(3, 4, low=0, high=1)])
        layer(c, "PoissonNLLLoss", [o], nn.PoissonNLLLoss(**o), [x, p])
        layer(c, "GaussianNLLLoss", [o], nn.GaussianNLLLoss(**o), [x, y, p])
        layer(c, "KLDivLoss", [o], nn.KLDivLoss(**o), [x, p])
        signs = torch.tensor([1.0, -1.0, 1.0])
        run = lambda m, *xs: m(*[t.detach() if i == len(xs) - 1 else t for i, t in enumerate(xs)])
        layer(c, "HingeEmbeddingLoss", [o], nn.HingeEmbeddingLoss(**o), [c.floats(3, low=0.1), signs], run=run)
        layer(c, "CosineEmbeddingLoss", [{**o, "margin": 0.1}], nn.CosineEmbeddingLoss(**o, margin=0.1), [x, y, signs], run=run)
        layer(c, "TripletMarginLoss", [o], nn.TripletMarginLoss(**o), [x, y, c.floats(3, 4)])
        layer(c, "MultiMarginLoss", [o], nn.MultiMarginLoss(**o), [x, labels])
    layer(c, "KLDivLoss", [{"reduction": "batchmean", "logTarget": True}], nn.KLDivLoss(reduction="batchmean", log_target=True), [x, y])


def wrappers(c):
    """weight_norm and spectral_norm around a layer: gradine's `nn[wrap](new nn[layer](...args), options)`."""
    for name, m, args, x in (
        ("Linear", nn.Linear(3, 2), [3, 2], c.floats(4, 3)),
        ("Conv2d", nn.Conv2d(2, 3, 2), [2, 3, 2], c.floats(1, 2, 3, 3)),
    ):
        layer(c, name, args, nn.utils.weight_norm(m), [x])
        c.cases[-1]["wrap"] = ["weightNorm"]
    layer(c, "Linear", [3, 2], nn.utils.weight_norm(nn.Linear(3, 2), dim=None), [c.floats(4, 3)])
    c.cases[-1]["wrap"] = ["weightNorm", {"dim": None}]
    for train in (True, False):
        torch.manual_seed(5)
        layer(c, "Linear", [3, 2], nn.utils.spectral_norm(nn.Linear(3, 2)), [c.floats(4, 3)], train=train)
        c.cases[-1]["wrap"] = ["spectralNorm"]
        m = nn.utils.spectral_norm(nn.ConvTranspose2d(2, 3, 2), n_power_iterations=2)
        layer(c, "ConvTranspose2d", [2, 3, 2], m, [c.floats(1, 2, 3, 3)], train=train)
        c.cases[-1]["wrap"] = ["spectralNorm", {"nPowerIterations": 2}]


def training(c):
    """A net whose first layer is frozen, whose head is replaced, and whose first layer is thawed again: weights after each
    phase of three steps of Adam. Replayed by test/nn/finetune.test.ts."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    for p in model.parameters():
        p.data = c.floats(*p.shape, low=-0.5, high=0.5, digits=3)
    head = {"weight": c.floats(2, 4, low=-0.5, high=0.5, digits=3), "bias": c.floats(2, digits=3)}
    x, y = c.floats(5, 3), c.floats(5, 2)
    case = {"training": "Adam", "lr": 0.05, "state": {k: packed(v) for k, v in model.state_dict().items()}}
    case.update(head={k: packed(v) for k, v in head.items()}, x=packed(x), y=packed(y), phases=[])
    model.double()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

    def phase():
        for _ in range(3):
            optimizer.zero_grad(set_to_none=True)
            F.mse_loss(model(x.double()), y.double()).backward()
            optimizer.step()
        case["phases"].append({k: packed(v)["data"] for k, v in model.state_dict().items()})

    phase()
    model[0].requires_grad_(False)
    phase()
    model[2] = nn.Linear(4, 2)
    model[2].load_state_dict(head)
    model[2].double()
    optimizer.add_param_group({"params": model[2].parameters()})
    phase()
    model[0].requires_grad_(True)
    phase()
    c.cases.append(case)


def cases(c):
    torch.manual_seed(1)
    for family in (linears, convolutions, pools, norms, activations, embeddings, recurrent, attentions, transformers, losses, wrappers, training):
        family(c)
