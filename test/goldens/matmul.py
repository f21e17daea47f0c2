"""Matrix products."""

import torch
import torch.nn.functional as F


def cases(c):
    size = lambda: c.random.choice([1, 2, 3, 4, 5, 7, 8, 9, 12, 17])
    for _ in range(8):
        m, k, n = size(), size(), size()
        c.add("matmul", [c.floats(m, k), c.floats(k, n)], torch.matmul)
    for _ in range(3):
        k = size()
        c.add("matmul", [c.floats(k), c.floats(k)], torch.matmul)
        c.add("matmul", [c.floats(k), c.floats(k, size())], torch.matmul)
        c.add("matmul", [c.floats(size(), k), c.floats(k)], torch.matmul)
        batch = c.shape(rank=c.random.randint(1, 2), high=3)
        c.add("matmul", [c.floats(*batch, 3, k), c.floats(k)], torch.matmul)
        c.add("matmul", [c.floats(k), c.floats(*batch, k, 4)], torch.matmul)
        c.add("matmul", [c.floats(*batch, 4, k), c.floats(k, 3)], torch.matmul)
        c.add("matmul", [c.floats(2, k), c.floats(*batch, k, 3)], torch.matmul)
    for _ in range(8):
        batch = c.shape(rank=c.random.randint(1, 3), high=3)
        sides = [batch, c.broadcastable(batch)]
        c.random.shuffle(sides)
        m, k, n = (c.random.randint(1, 6) for _ in range(3))
        c.add("matmul", [c.floats(*sides[0], m, k), c.floats(*sides[1], k, n)], torch.matmul)
    c.add("matmul", [c.floats(2, 0), c.floats(0, 3)], torch.matmul)
    c.add("matmul", [c.floats(2, 70), c.floats(70, 3)], torch.matmul)
    for _ in range(8):
        features, out = size(), size()
        x = c.floats(*c.shape(rank=c.random.randint(0, 3), high=4), features)
        weight = c.floats(out, features)
        if c.random.random() < 0.5:
            c.add("linear", [x, weight, c.floats(out)], F.linear)
        else:
            c.add("linear", [x, weight], F.linear)
