"""Embeddings, one by one and in bags."""

import torch
import torch.nn.functional as F


def cases(c):
    for rank in (0, 1, 2, 3):
        rows = c.random.randint(2, 7)
        table = c.floats(rows, c.random.randint(1, 6))
        index = c.integers(*c.shape(rank=rank), low=0, high=rows)
        c.add("embedding", [index, table], F.embedding)
        padding = c.random.choice([0, rows - 1, -1])
        c.add("embedding", [index, table, {"paddingIdx": padding}], lambda i, w, p=padding: F.embedding(i, w, padding_idx=p))
    for mode in ("sum", "mean", "max"):
        for _ in range(2):
            rows = c.random.randint(3, 8)
            table = c.distinct(rows, c.random.randint(1, 5))
            index = c.integers(c.random.randint(1, 4), c.random.randint(1, 5), low=0, high=rows)
            c.add("embeddingBag", [index, table, {"mode": mode}], lambda i, w, m=mode: F.embedding_bag(i, w, mode=m))
            n = c.random.randint(4, 12)
            flat = c.integers(n, low=0, high=rows)
            offsets = torch.tensor([0] + sorted(c.random.randint(0, n) for _ in range(3)), dtype=torch.int32)
            c.add(
                "embeddingBag",
                [flat, table, offsets, {"mode": mode}],
                lambda i, w, o, m=mode: F.embedding_bag(i, w, o, mode=m),
            )
            padding = c.random.randrange(rows)
            c.add(
                "embeddingBag",
                [flat, table, offsets, {"mode": mode, "paddingIdx": padding}],
                lambda i, w, o, m=mode, p=padding: F.embedding_bag(i, w, o, mode=m, padding_idx=p),
            )
            closed = torch.cat([offsets, torch.tensor([n], dtype=torch.int32)])
            c.add(
                "embeddingBag",
                [flat, table, {"offsets": closed, "mode": mode, "includeLastOffset": True}],
                lambda i, w, o, m=mode: F.embedding_bag(i, w, o, mode=m, include_last_offset=True),
            )
    index, table = c.integers(4, 3, high=5), c.floats(5, 2)
    c.add("embeddingBag", [index, table], F.embedding_bag)
    # In 1.13 weights of one row each go with mode "sum".
    c.add(
        "embeddingBag",
        [index, table, {"mode": "sum", "perSampleWeights": c.floats(4, 3)}],
        lambda i, w, s: F.embedding_bag(i, w, mode="sum", per_sample_weights=s),
    )
