"""Scaled dot-product attention. torch 1.13 lacks it: softmax(q kT scale + mask) v."""

import math

import torch


def attention(q, k, v, mask=None, causal=False, scale=None):
    s = q @ k.transpose(-1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if causal:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool).tril()
    if mask is not None:
        s = s.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else s + mask
    return torch.softmax(s, -1) @ v


def cases(c):
    op = "scaledDotProductAttention"
    for rank in (0, 0, 1, 1, 2, 2):
        batch = c.shape(rank=rank, high=3)
        L, S, E, V = (c.random.randint(1, 9) for _ in range(4))
        q, k, v = c.floats(*batch, L, E), c.floats(*batch, S, E), c.floats(*batch, S, V)
        scale = c.random.choice([None, 0.3, 1])
        options = {} if scale is None else {"scale": scale}
        c.add(op, [q, k, v, options], lambda q, k, v, s=scale: attention(q, k, v, scale=s))
        c.add(
            op,
            [q, k, v, {**options, "isCausal": True}],
            lambda q, k, v, s=scale: attention(q, k, v, causal=True, scale=s),
        )
        shape = c.random.choice([[L, S], [S], [1] * len(batch) + [1, S], batch + [L, S], batch + [1, S]])
        mask = c.bools(*shape)
        mask[..., 0] = True  # a query without keys would be NaN there
        c.add(op, [q, k, v, mask], attention)
        c.add(op, [q, k, v, {"attnMask": c.floats(*shape), **options}], lambda q, k, v, m, s=scale: attention(q, k, v, m, scale=s))
    # More than a block of queries and of keys.
    q, k, v = c.floats(1, 67, 3), c.floats(1, 130, 3), c.floats(1, 130, 2)
    c.add(op, [q, k, v], attention)
