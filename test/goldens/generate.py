"""Writes the goldens: cases computed by PyTorch 1.13, replayed by test/goldens.test.ts.

    /usr/bin/python3 test/goldens/generate.py [family ...]      (Debian: apt install python3-torch)

A family is a file beside this one, <family>.py, that registers cases with @family functions; see README.md. The result,
<family>.json, is committed, so that the tests need no Python. The same program gives the same file.
"""

import importlib
import json
import math
import os
import random
import struct
import sys
import zlib

import torch

torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))


def number(value, exact=False):
    """A number with 8 significant digits, or as few as give an f32 back; what JSON lacks is a string."""
    if isinstance(value, (bool, int)):
        return int(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return -0.0 if math.copysign(1, value) < 0 else 0
    digits = 8
    if exact:
        digits = next(d for d in range(4, 10) if single(float("%.*g" % (d, value))) == value)
    short = float("%.*g" % (digits, value))
    return int(short) if short == int(short) and abs(short) < 1e15 else short


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def packed(x):
    """A tensor as {shape, data, dtype}; f32 is written exactly, float64 (results) with 8 digits."""
    dtype = {torch.float32: "f32", torch.float64: "f32", torch.bool: "bool"}.get(x.dtype, "i32")
    exact = x.dtype == torch.float32
    entry = {"shape": list(x.shape), "data": [number(v, exact) for v in x.detach().reshape(-1).tolist()]}
    if dtype != "f32":
        entry["dtype"] = dtype
    return entry


class Cases:
    """Collects the cases of one family; `self.random` and the helpers are seeded by the family's name."""

    def __init__(self, name):
        self.name = name
        self.cases = []
        self.random = random.Random(name)
        self.generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))

    # Inputs -----------------------------------------------------------------------------------------------------------

    def floats(self, *shape, low=-2.0, high=2.0, avoid=(), margin=0.05, digits=4):
        """Uniform f32 values with few digits (exact in the JSON), away from the points in `avoid`."""
        x = torch.rand(shape, generator=self.generator, dtype=torch.float64) * (high - low) + low
        for point in avoid:
            near = (x - point).abs() < margin
            x = torch.where(near, point + margin * torch.where(x >= point, 1.5, -1.5).to(torch.float64), x)
        return torch.round(x * 10**digits).div(10**digits).float()

    def distinct(self, *shape, low=-2.0, high=2.0):
        """f32 values that are all different: for max, sort, median."""
        n = math.prod(shape)
        step = (high - low) / max(n, 1)
        order = torch.randperm(n, generator=self.generator)
        return torch.round((low + (order + 0.5) * step) * 10**4).div(10**4).float().reshape(shape)

    def integers(self, *shape, low=0, high=10):
        return torch.randint(low, high, shape, generator=self.generator, dtype=torch.int32)

    def bools(self, *shape):
        return torch.randint(0, 2, shape, generator=self.generator).bool()

    def shape(self, rank=None, low=1, high=6):
        """A random shape of at most 150 elements."""
        rank = self.random.randint(0, 4) if rank is None else rank
        while True:
            shape = [self.random.randint(low, high) for _ in range(rank)]
            if math.prod(shape) <= 150:
                return shape

    def broadcastable(self, shape):
        """A shape that broadcasts to `shape`: leading axes dropped, others 1."""
        cut = self.random.randint(0, len(shape))
        return [1 if self.random.random() < 0.4 else size for size in shape[cut:]]

    # Cases ------------------------------------------------------------------------------------------------------------

    def add(self, op, args, function, gradients=True, tolerance=None):
        """Adds a case: gradine's `op(*args)` against `function(*tensors)`.

        args: what gradine's function is called with: tensors, lists of tensors, numbers, strings, None (undefined), lists
        and dicts (JSON). A tensor stands for an input; a number in place of a tensor, for a number.
        function: computes the same in PyTorch from the tensors among args, in order; gives a tensor, or a list or tuple.
        Computed in float64 from the f32 inputs. f32 inputs are differentiated unless `gradients` is False, or a set of
        positions among the tensors.
        """
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

        case = {"op": op, "args": [describe(arg) for arg in args]}
        chosen = range(len(tensors)) if gradients is True else sorted(gradients) if gradients else []
        chosen = [i for i in chosen if tensors[i].dtype == torch.float32]
        case["inputs"] = [packed(x) for x in tensors]
        # int64, since PyTorch wants it of labels and indices
        wide = {torch.float32: torch.float64, torch.int32: torch.int64}
        exact = [x.detach().clone().to(wide.get(x.dtype, x.dtype)) for x in tensors]
        for i in chosen:
            exact[i].requires_grad_(True)
        result = function(*exact)
        outputs = list(result) if isinstance(result, (list, tuple)) else [result]
        case["outputs"] = [packed(y) for y in outputs]
        used = [y for y in outputs if y.requires_grad]
        if used and chosen:
            cotangents = [self.floats(*y.shape, low=-1, high=1) for y in used]
            got = torch.autograd.grad(used, [exact[i] for i in chosen], [v.double() for v in cotangents], allow_unused=True)
            case["cotangents"] = [packed(v)["data"] for v in cotangents]
            zeros = [torch.zeros_like(exact[i]) if g is None else g for i, g in zip(chosen, got)]
            case["gradients"] = {str(i): packed(g)["data"] for i, g in zip(chosen, zeros)}
        if tolerance is not None:
            case["tolerance"] = tolerance
        self.cases.append(case)


def main():
    sys.path.insert(0, HERE)
    skip = {"generate", "__pycache__"}
    names = sys.argv[1:] or sorted(f[:-3] for f in os.listdir(HERE) if f.endswith(".py") and f[:-3] not in skip)
    for name in names:
        cases = Cases(name)
        importlib.import_module(name).cases(cases)
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases.cases)
        text = '{"torch":%s,"cases":[\n%s\n]}\n' % (json.dumps(torch.__version__), lines)
        with open(os.path.join(HERE, name + ".json"), "w") as file:
            file.write(text)
        print(f"{name}: {len(cases.cases)} cases, {len(text) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
