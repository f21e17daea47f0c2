"""Convolutions, transposed convolutions, unfold and fold, with options at random."""

import torch.nn.functional as F


def cases(c):
    pick = c.random.choice

    def spatial(n, low, high):
        """A number, or one for each axis: as gradine gets it."""
        if c.random.random() < 0.5:
            return c.random.randint(low, high)
        return [c.random.randint(low, high) for _ in range(n)]

    def listed(value, n):
        return [value] * n if isinstance(value, int) else value

    def some(options):
        """Options that differ from the defaults, mostly."""
        return {k: v for k, v in options.items() if c.random.random() < 0.7}

    conv = [F.conv1d, F.conv2d, F.conv3d]
    transposed = [F.conv_transpose1d, F.conv_transpose2d]

    def args(x, weight, bias, options):
        if bias is None:
            return [x, weight] if not options else [x, weight, options] if c.random.random() < 0.5 else [x, weight, None, options]
        return [x, weight, bias] + ([options] if options else [])

    def add_conv(n, groups, channels, filters, kernel, options, low=0, high=6):
        dilation = listed(options.get("dilation", 1), n)
        kernels = listed(kernel, n)
        pad = options.get("padding", 0)
        pads = [0] * n if isinstance(pad, str) else listed(pad, n)
        if pad == "same":
            options.pop("stride", None)
        size = [max(1, d * (k - 1) + 1 - 2 * p) + c.random.randint(low, high) for k, d, p in zip(kernels, dilation, pads)]
        batch = pick([[], [1], [2]])
        x = c.floats(*batch, groups * channels, *size)
        weight = c.floats(groups * filters, channels, *kernels, low=-1, high=1)
        bias = c.floats(groups * filters) if c.random.random() < 0.6 else None
        if groups > 1:
            options["groups"] = groups
        stride, padding = options.get("stride", 1), options.get("padding", 0)

        def function(x, weight, bias=None):
            return conv[n - 1](x, weight, bias, stride, padding, options.get("dilation", 1), groups)

        c.add(f"conv{n}d", args(x, weight, bias, options), function)

    for n in (1, 2, 3):
        top = [5, 4, 2][n - 1]
        for _ in range([12, 22, 8][n - 1]):
            options = some({"stride": spatial(n, 1, 3), "padding": spatial(n, 0, 2), "dilation": spatial(n, 1, 2)})
            add_conv(n, pick([1, 1, 2, 3]), pick([1, 2]), pick([1, 2, 3]), spatial(n, 1, top), options, 0, [9, 4, 2][n - 1])
    for padding in ("same", "valid"):
        for _ in range(4):
            n = pick([1, 2])
            add_conv(n, 1, 2, 3, spatial(n, 1, 4), {"padding": padding, **some({"dilation": spatial(n, 1, 2)})})
    # Depthwise, with one filter a channel and more.
    for filters in (1, 1, 1, 2, 3):
        add_conv(2, 3, 1, filters, pick([2, 3]), some({"stride": spatial(2, 1, 3), "padding": 1}), 0, 5)
    # A row of more than one vector, more channels than one tile, a batch that is empty.
    add_conv(2, 1, 2, 9, 3, {"padding": 1}, 9, 12)
    add_conv(1, 1, 6, 13, 3, {"padding": 1}, 17, 21)
    c.add("conv2d", [c.floats(0, 2, 4, 4), c.floats(3, 2, 3, 3)], lambda x, w: F.conv2d(x, w), gradients=False)

    def add_transposed(n):
        groups, channels, filters = pick([1, 1, 2]), pick([1, 2, 3]), pick([1, 2, 3])
        kernel = spatial(n, 1, 4)
        options = some({"stride": spatial(n, 1, 3), "padding": spatial(n, 0, 1), "dilation": spatial(n, 1, 2)})
        strides, dilations = listed(options.get("stride", 1), n), listed(options.get("dilation", 1), n)
        if c.random.random() < 0.5:
            options["outputPadding"] = [c.random.randint(0, max(s, d) - 1) for s, d in zip(strides, dilations)]
        batch = pick([[], [1], [2]])
        x = c.floats(*batch, groups * filters, *[c.random.randint(2, 5) for _ in range(n)])
        weight = c.floats(groups * filters, channels, *listed(kernel, n), low=-1, high=1)
        bias = c.floats(groups * channels) if c.random.random() < 0.5 else None
        if groups > 1:
            options["groups"] = groups

        def function(x, weight, bias=None):
            return transposed[n - 1](
                x,
                weight,
                bias,
                options.get("stride", 1),
                options.get("padding", 0),
                options.get("outputPadding", 0),
                groups,
                options.get("dilation", 1),
            )

        try:
            function(x, weight, bias)
        except RuntimeError:  # nothing left of the result
            return add_transposed(n)
        c.add(f"convTranspose{n}d", args(x, weight, bias, options), function)

    for n in (1, 2):
        for _ in range(12):
            add_transposed(n)

    for _ in range(8):
        kernel, options = spatial(2, 1, 3), some({"stride": spatial(2, 1, 2), "padding": spatial(2, 0, 2), "dilation": spatial(2, 1, 2)})
        size = [5 + c.random.randint(0, 3), 5 + c.random.randint(0, 3)]
        x = c.floats(*pick([[], [1], [2]]), 2, *size)
        words = {"stride": options.get("stride", 1), "padding": options.get("padding", 0), "dilation": options.get("dilation", 1)}
        c.add("unfold", [x, kernel, options], lambda x: F.unfold(x, kernel, **words))
        columns = F.unfold(x, kernel, **words)
        c.add("fold", [c.floats(*columns.shape), size, kernel, options], lambda x: F.fold(x, size, kernel, **words))
