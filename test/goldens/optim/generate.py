"""Writes traces.json: 25 steps of PyTorch 1.13's optimizers, replayed by test/optim/traces.test.ts.

    /usr/bin/python3 test/goldens/optim/generate.py      (Debian: apt install python3-torch)

Two parameters descend sum(a (w - c)^2) in float64; a skipped step (no gradient for the second parameter at step 4) shows
that each parameter counts its own updates. All constants are exact in f32.
"""

import json
import os

import torch

STEPS = 25
KEPT = (1, 2, 3, 4, 5, 10, 15, 20, 25)
SKIPPED = 4
START = [[0.5, -0.25, 1.0, -1.5, 0.125], [[2.0, -0.75], [0.375, 1.25]]]
CURVATURE = [[0.5, 1.0, 0.25, 2.0, 0.75], [[1.5, 0.5], [0.125, 1.0]]]
CENTRE = [[2.0, -3.0, 4.0, 1.0, -2.5], [[-1.0, 3.0], [5.0, -2.0]]]

CASES = [
    ("SGD", {"lr": 0.0625}),
    ("SGD", {"lr": 0.0625, "momentum": 0.875}),
    ("SGD", {"lr": 0.03125, "momentum": 0.875, "nesterov": True}),
    ("SGD", {"lr": 0.0625, "momentum": 0.75, "dampening": 0.25}),
    ("SGD", {"lr": 0.0625, "weight_decay": 0.125}),
    ("SGD", {"lr": 0.03125, "momentum": 0.875, "nesterov": True, "weight_decay": 0.125}),
    ("SGD", {"lr": 0.015625, "momentum": 0.5, "dampening": 0.25, "weight_decay": 0.125, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.0625}),
    ("Adam", {"lr": 0.0625, "betas": [0.75, 0.9375], "eps": 0.0078125}),
    ("Adam", {"lr": 0.0625, "weight_decay": 0.125}),
    ("Adam", {"lr": 0.125, "amsgrad": True, "betas": [0.5, 0.75]}),
    ("Adam", {"lr": 0.0625, "amsgrad": True, "weight_decay": 0.125, "maximize": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.0625, "weight_decay": 0.125}),
    ("AdamW", {"lr": 0.125, "weight_decay": 0.25, "amsgrad": True, "betas": [0.5, 0.75]}),
    ("AdamW", {"lr": 0.0625, "maximize": True}),
]


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def flat(tensors):
    return [float("%.9g" % v) for t in tensors for v in t.detach().reshape(-1).tolist()]


def trace(kind, options):
    double = lambda data: [torch.tensor(x, dtype=torch.float64) for x in data]
    params = [p.requires_grad_(True) for p in double(START)]
    extra = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    # The second parameter is a group with a rate of its own.
    lr = options.get("lr", 0.001)
    groups = [{"params": [params[0]]}, {"params": [params[1]], "lr": lr / 2}]
    optimizer = getattr(torch.optim, kind)(groups, **extra)
    values = []
    for step in range(1, STEPS + 1):
        optimizer.zero_grad(set_to_none=True)
        terms = [(a * (p - c) ** 2).sum() for p, a, c in zip(params, double(CURVATURE), double(CENTRE))]
        (terms[0] if step == SKIPPED else terms[0] + terms[1]).backward()
        optimizer.step()
        if step in KEPT:
            values.append(flat(params))
    state = {}
    for key in ("momentum_buffer", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"):
        found = [optimizer.state[p].get(key) for p in params]
        if all(f is not None for f in found):
            state[camel(key)] = flat(found)
    return {
        "optimizer": kind,
        "options": {camel(k): v for k, v in options.items()},
        "secondLr": lr / 2,
        "values": values,
        "state": state,
    }


def main():
    lines = ",\n".join(json.dumps(trace(*case), separators=(",", ":")) for case in CASES)
    constants = {"start": START, "curvature": CURVATURE, "centre": CENTRE, "kept": KEPT, "skipped": SKIPPED, "steps": STEPS}
    head = json.dumps({"torch": torch.__version__, **constants}, separators=(",", ":"))
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "traces.json")
    with open(path, "w") as file:
        file.write('%s,"cases":[\n%s\n]}\n' % (head[:-1], lines))


if __name__ == "__main__":
    main()
