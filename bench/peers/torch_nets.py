"""The networks of nets.mjs as PyTorch's modules."""

import torch
from torch import nn


class LastOutput(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.lstm = nn.LSTM(layer["ins"], layer["width"], batch_first=True)

    def forward(self, x):
        return self.lstm(x)[1][0][0]


class Block(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(
            layer["width"],
            layer["heads"],
            layer["hidden"],
            dropout=0.0,
            activation=layer["activation"],
            norm_first=layer["normFirst"],
            batch_first=True,
        )
        self.causal = layer["causal"]
        self.mask = None

    def forward(self, x):
        if self.causal and self.mask is None:
            self.mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1]).to(x.dtype)
        return self.layer(x, self.mask)


class Embed(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.tokens = nn.Embedding(layer["vocabulary"], layer["width"])
        self.positions = nn.Embedding(layer["length"], layer["width"])

    def forward(self, x):
        return self.tokens(x) + self.positions.weight[: x.shape[1]]


MODULES = {
    "linear": lambda layer: nn.Linear(layer["ins"], layer["outs"]),
    "conv": lambda layer: nn.Conv2d(layer["ins"], layer["outs"], 3, padding=1),
    "batchNorm": lambda layer: nn.BatchNorm2d(layer["width"]),
    "layerNorm": lambda layer: nn.LayerNorm(layer["width"]),
    "relu": lambda layer: nn.ReLU(),
    "tanh": lambda layer: nn.Tanh(),
    "maxPool": lambda layer: nn.MaxPool2d(2),
    "flatten": lambda layer: nn.Flatten(),
    "rows": lambda layer: nn.Flatten(0, 1),
    "lstm": LastOutput,
    "block": Block,
    "embed": Embed,
}


def tensor(value, dtype):
    """A spec's tensor: `dtype`, or int64 where the numbers are labels."""
    data = value["data"].view(value["shape"])
    return data.to(dtype) if data.is_floating_point() else data.long()


def network(layers, dtype):
    """The module of a list of layers, with their weights."""
    modules = []
    for layer in layers:
        module = MODULES[layer["type"]](layer).to(dtype)
        # What the spec has no value for (the count of batches) stays as it begins.
        module.load_state_dict(
            {name: tensor(value, dtype) for name, value in layer.get("params", {}).items()}, strict=False
        )
        modules.append(module)
    return nn.Sequential(*modules)
