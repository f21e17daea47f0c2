"""PyTorch, native, eager, one thread; speaks the protocol of host.mjs (requests on stdin, replies on descriptor 3)."""

import base64
import json
import os
import sys
import time

import numpy
import torch

torch.set_num_threads(1)
CHECKED_STEPS = 10  # as in steps.mjs
DTYPES = {"f32": numpy.float32, "i32": numpy.int32}


def typed(value):
    for kind, dtype in DTYPES.items():
        if isinstance(value.get(kind), str):
            return torch.from_numpy(numpy.frombuffer(base64.b64decode(value[kind]), dtype).copy())
    return value


class Mlp:
    def __init__(self, task):
        sizes, batch = task["sizes"], task["batch"]
        layers = []
        for i, (w, b) in enumerate(zip(task["weights"], task["biases"])):
            layer = torch.nn.Linear(sizes[i], sizes[i + 1])
            with torch.no_grad():
                layer.weight.copy_(w.view(sizes[i + 1], sizes[i]))
                layer.bias.copy_(b)
            layers += [layer, torch.nn.Tanh() if task["activation"] == "tanh" else torch.nn.ReLU()]
        self.model = torch.nn.Sequential(*layers[:-1])
        optimizer = torch.optim.Adam if task["optimizer"] == "adam" else torch.optim.SGD
        self.optimizer = optimizer(self.model.parameters(), lr=task["lr"])
        self.x = task["x"].view(batch, sizes[0])
        if task["loss"] == "mse":
            self.loss = torch.nn.functional.mse_loss
            self.targets = [t.view(batch, sizes[-1]) for t in task["targets"]]
        else:
            self.loss = torch.nn.functional.cross_entropy
            self.targets = [t.long() for t in task["targets"]]
        self.n = 0

    def step(self):
        target = self.targets[self.n % len(self.targets)]
        self.n += 1
        self.optimizer.zero_grad()
        loss = self.loss(self.model(self.x), target)
        loss.backward()
        self.optimizer.step()
        return loss

    def check(self):
        return [self.step().item() for _ in range(CHECKED_STEPS)]


class Matmul:
    def __init__(self, task):
        n = task["n"]
        a, b = task["a"].view(n, n), task["b"].view(n, n)
        self.a = a.t() if task["layout"] == "TN" else a
        self.b = b.t() if task["layout"] == "NT" else b
        self.probes = task["probes"]

    def step(self):
        return torch.matmul(self.a, self.b)

    def check(self):
        return self.step().flatten()[self.probes].tolist()


def run(task, repetitions):
    start = time.perf_counter()
    for _ in range(repetitions):
        task.step()
    return 1000 * (time.perf_counter() - start)


def main():
    task = None
    for line in sys.stdin:
        request = json.loads(line, object_hook=typed)
        reply = {"id": request["id"]}
        try:
            if request["method"] == "open":
                kind = {"mlp": Mlp, "matmul": Matmul}[request["params"]["kind"]]
                task = kind(request["params"])
                reply["result"] = {"version": f"PyTorch {torch.__version__} ({torch.get_num_threads()} thread)"}
            elif request["method"] == "check":
                reply["result"] = task.check()
            else:
                reply["result"] = run(task, request["params"])
        except Exception as error:  # the bench prints the reason beside its table
            reply["error"] = f"{type(error).__name__}: {error}"
        os.write(3, (json.dumps(reply) + "\n").encode())


main()
