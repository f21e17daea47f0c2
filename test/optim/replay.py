"""Writes replay.json: traces of optimizers and schedules by PyTorch 1.13, replayed by test/optim/replay.test.ts.

    /usr/bin/python3 test/optim/replay.py        (Debian: apt install python3-torch)

Everything runs in float64 from values that are exact in f32. What PyTorch 1.13 lacks is written out here from its source:
Lion (Chen et al. 2023, algorithm 2), Muon (Jordan et al. 2024), warm-up and the inverse square root (Vaswani et al. 2017).
"""

import json
import math
import os
import random

import torch
import torch.nn.functional as F
import torch.optim as optim
import torch.optim.lr_scheduler as schedules

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
STEPS = 200
rng = random.Random(6)


def exact(*shape, scale=1.0):
    """Random values that are exact in f32 and short in decimal."""
    n = math.prod(shape)
    return torch.tensor([round(rng.gauss(0, scale) * 64) / 64 for _ in range(n)]).reshape(shape)


def flat(x):
    return {"shape": list(x.shape), "data": [float("%.9g" % v) for v in x.detach().reshape(-1).tolist()]}


# Three problems: a curved valley, least squares with unlike scales, and a net with penalized weights.
valley = {"x": exact(2, 3, scale=0.5), "y": exact(2, 3, scale=0.5)}
lines = {"a": exact(12, 4), "b": exact(12, 3), "w": exact(3, 4), "c": exact(1, 3)}
lines["a"][:, 0] *= 2
net = {"a": exact(16, 3), "u": exact(5, 3), "c": exact(1, 5), "v": exact(3, 5)}
labels = [rng.randrange(3) for _ in range(16)]


def problem(name):
    """Parameters and the loss of them."""
    if name == "valley":
        params = [valley["x"].clone(), valley["y"].clone()]
        return params, lambda x, y: ((1 - x) ** 2).sum() + 3 * ((y - x * x) ** 2).sum()
    if name == "lines":
        params = [lines["w"].clone(), lines["c"].clone()]
        return params, lambda w, c: F.mse_loss(lines["a"] @ w.T + c, lines["b"])
    params = [net["u"].clone(), net["c"].clone(), net["v"].clone()]

    def loss(u, c, v):
        logits = torch.tanh(net["a"] @ u.T + c) @ v.T
        return F.cross_entropy(logits, torch.tensor(labels)) + 0.01 * ((u * u).sum() + (v * v).sum())

    return params, loss


class Lion(optim.Optimizer):
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                c = b1 * m + (1 - b1) * p.grad
                p.copy_(p - group["lr"] * (torch.sign(c) + group["weight_decay"] * p))
                m.copy_(b2 * m + (1 - b2) * p.grad)


class Muon(optim.Optimizer):
    def __init__(self, params, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True, ns_steps=5):
        super().__init__(params, dict(lr=lr, weight_decay=weight_decay, momentum=momentum, nesterov=nesterov, ns_steps=ns_steps))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            mu = group["momentum"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                m.copy_(mu * m + (1 - mu) * p.grad)
                u = mu * m + (1 - mu) * p.grad if group["nesterov"] else m.clone()
                x = u.T if u.shape[0] > u.shape[1] else u
                x = x / (x.norm() + 1e-7)
                for _ in range(group["ns_steps"]):
                    s = x @ x.T
                    x = 3.4445 * x + (-4.775 * s + 2.0315 * s @ s) @ x
                x = x.T if u.shape[0] > u.shape[1] else x
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(group["lr"] * max(1, p.shape[0] / p.shape[1]) ** 0.5 * x)


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def options(given):
    return {camel(k): ("strongWolfe" if v == "strong_wolfe" else v) for k, v in given.items()}


# Rates and eps are chosen so that PyTorch in f32 stays within 1e-5 of itself in float64: near a minimum Adam and its
# kin divide noise by noise, and the trace would compare rounding errors.
STABLE = dict(betas=(0.8, 0.99), eps=1e-3, weight_decay=0.01)
OPTIMIZERS = [
    ("SGD", optim.SGD, [dict(lr=0.02, momentum=0.8, dampening=0.1, weight_decay=0.01), dict(lr=0.01, momentum=0.9, nesterov=True)]),
    ("Adagrad", optim.Adagrad, [dict(lr=0.2, lr_decay=0.01, weight_decay=0.02, initial_accumulator_value=0.1, eps=1e-6)]),
    ("Adadelta", optim.Adadelta, [dict(lr=0.3, rho=0.95, eps=1e-5, weight_decay=0.01)]),
    ("RMSprop", optim.RMSprop, [dict(lr=0.001, alpha=0.97, eps=1e-2, weight_decay=0.01), dict(lr=0.001, alpha=0.97, eps=1e-2, momentum=0.4, centered=True)]),
    ("Adam", optim.Adam, [dict(lr=0.003, **STABLE), dict(lr=0.02, betas=(0.8, 0.95), eps=1e-4, amsgrad=True)]),
    ("AdamW", optim.AdamW, [dict(lr=0.02, betas=(0.85, 0.97), eps=1e-4, weight_decay=0.1)]),
    ("Adamax", optim.Adamax, [dict(lr=0.003, **STABLE)]),
    ("NAdam", optim.NAdam, [dict(lr=0.003, momentum_decay=0.02, **STABLE)]),
    ("RAdam", optim.RAdam, [dict(lr=0.004, **STABLE)]),
    ("Lion", Lion, [dict(lr=0.0005, betas=(0.85, 0.97), weight_decay=0.1)]),
    ("Muon", Muon, [dict(lr=0.003, weight_decay=0.05, momentum=0.9), dict(lr=0.003, momentum=0.8, nesterov=False, ns_steps=3)]),
    ("Rprop", optim.Rprop, [dict(lr=0.0003, etas=(0.6, 1.02), step_sizes=(1e-5, 0.0006))]),
    ("LBFGS", optim.LBFGS, [dict(lr=0.8, max_iter=2, history_size=20, tolerance_grad=1e-5), dict(max_iter=3, history_size=15, tolerance_grad=1e-4, line_search_fn="strong_wolfe"), dict(lr=20, max_iter=3, history_size=15, tolerance_grad=1e-4, line_search_fn="strong_wolfe")]),
]


def run(name, make, given, schedule=None, steps=STEPS, resume=None):
    """Losses of the first 25 steps and of each 25th, parameters after 25 and 200, and the rates."""
    params, f = problem(name)
    for p in params:
        p.requires_grad_(True)
    optimizer = make(params, **given)
    scheduler = schedule(optimizer) if schedule else None
    trace = {"losses": [], "rates": [], "params": {}}
    for step in range(1, steps + 1):
        def closure():
            optimizer.zero_grad()
            loss = f(*params)
            loss.backward()
            return loss

        if isinstance(optimizer, optim.LBFGS):
            loss = optimizer.step(closure)
        else:
            loss = closure()
            optimizer.step()
        if schedule:
            group = optimizer.param_groups[0]
            trace["rates"].append(float("%.12g" % group["lr"]))
            if "momentum" in group and schedule.cycles:
                trace.setdefault("momenta", []).append(float("%.12g" % group["momentum"]))
            if isinstance(scheduler, schedules.ReduceLROnPlateau):
                scheduler.step(loss.item())
            else:
                scheduler.step()
        if step <= 25 or step % 25 == 0:
            trace["losses"].append(float("%.9g" % loss.item()))
        if step in (25, steps):
            trace["params"][step] = [flat(p) for p in params]
        if resume is not None and step == 10:
            saved = optimizer.state_dict()
            resume["state"] = {
                k: {n: flat(v) if torch.is_tensor(v) and v.dim() else float(v) for n, v in own.items() if v is not None}
                for k, own in saved["state"].items()
            }
            resume["param_groups"] = saved["param_groups"]
            resume["params"] = [flat(p) for p in params]
    return trace


class Schedule:
    """A schedule of both libraries: PyTorch's, its options, and whether it moves the momentum too."""

    def __init__(self, name, make, cycles=False, **given):
        self.name, self.make, self.cycles, self.given = name, make, cycles, given

    def __call__(self, optimizer):
        return self.make(optimizer, **self.given)


def lambda_lr(factor):
    return lambda optimizer, **_: schedules.LambdaLR(optimizer, factor)


def plain(name, **given):
    return Schedule(name, getattr(schedules, name), **given)


SCHEDULES = [
    plain("StepLR", step_size=30, gamma=0.5),
    plain("MultiStepLR", milestones=[10, 40, 90], gamma=0.3),
    plain("ExponentialLR", gamma=0.98),
    plain("LinearLR", start_factor=0.2, end_factor=0.7, total_iters=60),
    Schedule("PolynomialLR", schedules.PolynomialLR, total_iters=150, power=1.7),
    Schedule("CosineAnnealingLR", schedules.CosineAnnealingLR, T_max=70, eta_min=0.002),
    Schedule("CosineAnnealingWarmRestarts", schedules.CosineAnnealingWarmRestarts, T_0=20, T_mult=2, eta_min=0.001),
    Schedule("OneCycleLR", schedules.OneCycleLR, cycles=True, max_lr=0.03, total_steps=201, pct_start=0.25, div_factor=10.0, final_div_factor=100.0, base_momentum=0.7, max_momentum=0.9),
    Schedule("OneCycleLR", schedules.OneCycleLR, cycles=True, max_lr=0.03, epochs=67, steps_per_epoch=3, anneal_strategy="linear", three_phase=True),
    Schedule("CyclicLR", schedules.CyclicLR, cycles=True, base_lr=0.002, max_lr=0.02, step_size_up=20, step_size_down=30, mode="triangular2", base_momentum=0.7, max_momentum=0.85),
    Schedule("CyclicLR", schedules.CyclicLR, cycles=True, base_lr=0.002, max_lr=0.02, step_size_up=15, mode="exp_range", gamma=0.99),
    plain("ReduceLROnPlateau", factor=0.5, patience=3, threshold=0.02, threshold_mode="rel", cooldown=2, min_lr=0.0005),
    Schedule("LambdaLR", lambda_lr(lambda t: 1 / (1 + 0.05 * t))),
    Schedule("WarmupLR", lambda_lr(lambda t: min(1, (t + 1) / 20)), steps=20),
    Schedule("InverseSquareRootLR", lambda_lr(lambda t: min((t + 1) / 20, (20 / (t + 1)) ** 0.5)), warmup_steps=20),
]


def sequence(optimizer):
    first = schedules.LinearLR(optimizer, start_factor=0.1, total_iters=15)
    second = schedules.CosineAnnealingLR(optimizer, T_max=60, eta_min=0.001)
    third = schedules.ExponentialLR(optimizer, gamma=0.97)
    return schedules.SequentialLR(optimizer, [first, second, third], milestones=[15, 75])


sequence.cycles = False
NAMES = ["valley", "lines", "net"]
NAMING = {"TMax": "tMax", "T0": "t0", "TMult": "tMult"}
result = {
    "data": {
        **{k: flat(v) for k, v in valley.items()},
        **{k: flat(v) for k, v in lines.items()},
        **{"net_" + k: flat(v) for k, v in net.items()},
        "labels": labels,
    },
    "optimizers": [
        {"name": name, "problem": p, "options": options(given), **run(p, make, given)}
        for name, make, settings in OPTIMIZERS
        for given in settings
        for p in NAMES
    ],
    "schedules": [],
    "resumed": [],
}
BASE = dict(lr=0.02, momentum=0.8)
for schedule in SCHEDULES:
    for p in NAMES:
        given = {NAMING.get(k, k): v for k, v in options(schedule.given).items()}
        if given.get("mode") == "exp_range":
            given["mode"] = "expRange"
        trace = run(p, optim.SGD, BASE, schedule)
        result["schedules"].append({"name": schedule.name, "problem": p, "options": given, **trace})
for p in NAMES:
    result["schedules"].append({"name": "SequentialLR", "problem": p, "options": {}, **run(p, optim.SGD, BASE, sequence)})
for name, make, given in [
    ("SGD", optim.SGD, dict(lr=0.02, momentum=0.8, weight_decay=0.01)),
    ("Adam", optim.Adam, dict(lr=0.02, betas=(0.8, 0.95), amsgrad=True)),
]:
    for p in NAMES:
        saved = {}
        trace = run(p, make, given, steps=25, resume=saved)
        result["resumed"].append({"name": name, "problem": p, "saved": saved, **trace})

# The line search by itself: along f(x) = c0 x^2 + c1 x^4 + c2 sin(c3 x), from x in direction d.
from torch.optim.lbfgs import _strong_wolfe

result["wolfe"] = []
while len(result["wolfe"]) < 60:
    c = [round(rng.uniform(0, 1) * 16) / 16, round(rng.uniform(0, 1) * 4) / 16, round(rng.uniform(0, 3) * 16) / 16, round(rng.uniform(1, 6) * 4) / 4]
    x, first = round(rng.uniform(-3, 3) * 16) / 16, rng.choice([0.125, 1.0, 4.0])

    def f(x):
        return c[0] * x * x + c[1] * x**4 + c[2] * math.sin(c[3] * x)

    def g(x):
        return torch.tensor([2 * c[0] * x + 4 * c[1] * x**3 + c[2] * c[3] * math.cos(c[3] * x)])

    d = -g(x)
    if abs(d.item()) < 0.1:
        continue
    d = torch.tensor([float(d.float())])
    loss, _, t, count = _strong_wolfe(lambda x, t, d: (f(x + float(t) * d.item()), g(x + float(t) * d.item())), x, first, d, f(x), g(x), g(x).dot(d))
    # Searches that end at once show little.
    if count < 4:
        continue
    result["wolfe"].append({"c": c, "x": x, "first": first, "d": d.item(), "t": float(t), "loss": loss, "count": count})

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "replay.json"), "w") as file:
    json.dump(result, file, separators=(",", ":"))
    file.write("\n")
