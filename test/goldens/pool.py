"""Pooling and interpolation, with options at random."""

import torch.nn.functional as F


def cases(c):
    pick = c.random.choice

    def spatial(n, low, high):
        if c.random.random() < 0.5:
            return c.random.randint(low, high)
        return [c.random.randint(low, high) for _ in range(n)]

    def listed(value, n):
        return [value] * n if isinstance(value, int) else value

    def some(options):
        return {k: v for k, v in options.items() if c.random.random() < 0.7}

    def image(n, low, distinct=False):
        shape = [*pick([[], [1], [2]]), pick([1, 2]), *[low + c.random.randint(0, 4) for _ in range(n)]]
        return c.distinct(*shape) if distinct else c.floats(*shape)

    max_pool = [F.max_pool1d, F.max_pool2d]
    avg_pool = [F.avg_pool1d, F.avg_pool2d]
    for n in (1, 2):
        for _ in range(10):
            kernel = spatial(n, 1, 3)
            half = min(listed(kernel, n)) // 2
            options = some({"stride": spatial(n, 1, 3), "padding": c.random.randint(0, half), "dilation": spatial(n, 1, 2), "ceilMode": True})
            indices = c.random.random() < 0.5
            words = {
                "stride": options.get("stride"),
                "padding": options.get("padding", 0),
                "dilation": options.get("dilation", 1),
                "ceil_mode": options.get("ceilMode", False),
                "return_indices": indices,
            }
            if indices:
                options["returnIndices"] = True
            c.add(f"maxPool{n}d", [image(n, 5, True), kernel, options], lambda x: max_pool[n - 1](x, kernel, **words))
        for _ in range(10):
            kernel = spatial(n, 1, 4)
            half = min(listed(kernel, n)) // 2
            options = some({"stride": spatial(n, 1, 3), "padding": c.random.randint(0, half), "ceilMode": True, "countIncludePad": False})
            words = {
                "stride": options.get("stride"),
                "padding": options.get("padding", 0),
                "ceil_mode": options.get("ceilMode", False),
                "count_include_pad": options.get("countIncludePad", True),
            }
            if n == 2 and c.random.random() < 0.3:
                options["divisorOverride"] = words["divisor_override"] = c.random.randint(1, 7)
            c.add(f"avgPool{n}d", [image(n, 5), kernel, options], lambda x: avg_pool[n - 1](x, kernel, **words))
    # The kernel for 2 x 2 windows: whole vectors, and a last one that overlaps; sizes that leave a rest.
    for size in ((4, 8), (6, 12), (5, 11), (2, 17)):
        c.add("maxPool2d", [c.distinct(2, 2, *size), 2], lambda x: F.max_pool2d(x, 2))
        c.add("maxPool2d", [c.distinct(1, 2, *size), 2, {"returnIndices": True}], lambda x: F.max_pool2d(x, 2, return_indices=True))

    adaptive = {
        "adaptiveAvgPool1d": F.adaptive_avg_pool1d,
        "adaptiveAvgPool2d": F.adaptive_avg_pool2d,
        "adaptiveMaxPool1d": F.adaptive_max_pool1d,
        "adaptiveMaxPool2d": F.adaptive_max_pool2d,
    }
    for name, function in adaptive.items():
        n = int(name[-2])
        for _ in range(6):
            size = spatial(n, 1, 9)
            c.add(name, [image(n, 3, "Max" in name), size], lambda x: function(x, size))
    x = c.distinct(2, 2, 6, 7)
    c.add("adaptiveMaxPool2d", [x, [3, None], {"returnIndices": True}], lambda x: F.adaptive_max_pool2d(x, (3, None), return_indices=True))
    c.add("adaptiveAvgPool2d", [x, [None, 4]], lambda x: F.adaptive_avg_pool2d(x, (None, 4)))

    modes = {1: ["nearest", "nearest-exact", "linear", "area"], 2: ["nearest", "nearest-exact", "bilinear", "bicubic", "area"], 3: ["nearest", "nearest-exact", "trilinear", "area"]}
    for n, names in modes.items():
        for mode in names:
            for _ in range(3):
                # PyTorch computes positions in float64 here, gradine in f32 as for f32 tensors: factors that are exact.
                x = c.floats(c.random.randint(1, 2), 2, *[c.random.randint(1, 5) for _ in range(n)])
                options, words = {"mode": mode}, {"mode": mode}
                if mode not in ("nearest", "nearest-exact", "area") and c.random.random() < 0.5:
                    options["alignCorners"] = words["align_corners"] = True
                if c.random.random() < 0.5:
                    options["size"] = words["size"] = spatial(n, 1, 8)
                else:
                    factor = pick([1, 1.5, 2, 2.5, 3]) if c.random.random() < 0.5 else [pick([1, 1.5, 2, 0.5 * 4]) for _ in range(n)]
                    options["scaleFactor"] = words["scale_factor"] = factor
                c.add("interpolate", [x, options], lambda x: F.interpolate(x, **words))
