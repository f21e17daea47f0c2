"""PyTorch, native, eager, one thread; speaks the protocol of serve.mjs (requests on stdin, replies on descriptor 3)."""

import base64
import json
import os
import sys
import time

import numpy
import torch
from torch.nn import functional

from torch_nets import network, tensor

torch.set_num_threads(1)
ARRAYS = {"f32": numpy.float32, "i32": numpy.int32}


def typed(value):
    for kind, dtype in ARRAYS.items():
        if isinstance(value.get(kind), str):
            return torch.from_numpy(numpy.frombuffer(base64.b64decode(value[kind]), dtype).copy())
    return value


class Training:
    def __init__(self, task, dtype):
        self.model = network(task["layers"], dtype)
        optimizer = torch.optim.Adam if task["optimizer"] == "adam" else torch.optim.SGD
        self.optimizer = optimizer(self.model.parameters(), lr=task["lr"])
        self.loss = functional.mse_loss if task["loss"] == "mse" else functional.cross_entropy
        self.x = tensor(task["x"], dtype)
        self.targets = [tensor(target, dtype) for target in task["targets"]]
        self.checked_steps = task["checkedSteps"]
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
        return [self.step().item() for _ in range(self.checked_steps)]


class Inference:
    def __init__(self, task, dtype):
        self.model = network(task["layers"], dtype).eval()
        self.x = tensor(task["x"], dtype)

    @torch.no_grad()
    def step(self):
        return self.model(self.x).flatten().numpy()

    def check(self):
        return self.step().tolist()


OPERATIONS = {
    "exp": lambda spec: torch.exp,
    "tanh": lambda spec: torch.tanh,
    "sigmoid": lambda spec: torch.sigmoid,
    "relu": lambda spec: torch.relu,
    "add": lambda spec: torch.add,
    "softmax": lambda spec: lambda x: torch.softmax(x, -1),
    "layerNorm": lambda spec: lambda x, w, b: functional.layer_norm(x, w.shape, w, b),
    "matmul": lambda spec: lambda a, b: torch.matmul(
        a.t() if spec["layout"] == "TN" else a, b.t() if spec["layout"] == "NT" else b
    ),
    "conv2d": lambda spec: lambda x, w, b: functional.conv2d(x, w, b, padding=1, groups=spec["groups"]),
}


class Operation:
    def __init__(self, spec, dtype):
        self.inputs = [tensor(value, dtype) for value in spec["inputs"]]
        self.op = OPERATIONS[spec["op"]](spec)
        self.probes = spec["probes"]

    def step(self):
        return self.op(*self.inputs)

    def check(self):
        return self.step().flatten()[self.probes].tolist()


TASKS = {"training": Training, "inference": Inference, "operation": Operation}


def run(task, repetitions):
    start = time.perf_counter()
    for _ in range(repetitions):
        task.step()
    return 1000 * (time.perf_counter() - start)


def main():
    task = None
    dtype = torch.float32
    for line in sys.stdin:
        request = json.loads(line, object_hook=typed)
        method, params = request["method"], request.get("params")
        reply = {"id": request["id"]}
        try:
            if method == "start":
                dtype = torch.float64 if params["double"] else torch.float32
                reply["result"] = f"PyTorch {torch.__version__}"
            elif method == "open":
                task = None
                task = TASKS[params["kind"]](params, dtype)
            elif method == "check":
                reply["result"] = task.check()
            else:
                reply["result"] = run(task, params)
        except Exception as error:  # the bench prints the reason beside its table
            reply["error"] = f"{type(error).__name__}: {error}"
        os.write(3, (json.dumps(reply) + "\n").encode())


main()
