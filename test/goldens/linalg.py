# Goldens of einsum and the products of vectors and batches.
import torch


def cases(c):
    size = lambda: c.random.randint(1, 5)
    equations = [
        "ij,jk->ik", "ij,kj->ik", "ji,jk->ik", "bij,bjk->bik", "bij,bkj->bik", "bhqd,bhkd->bhqk", "i,j->ij", "i,i->",
        "ij->ji", "ij->i", "ii->", "ii->i", "ij,ij->ij", "ij,jk,kl->il", "i,ij,j->", "ijk,il->kl", "abc,cd,abd->ad",
        "ij,jk", "ba,ca", "...ij,...jk->...ik", "...i,...i->...",
    ]
    for equation in equations:
        for _ in range(2):
            sizes = {letter: size() for letter in "abcdhijklq"}
            extra = [size() for _ in range(c.random.randint(0, 2))]
            operands = []
            for term in equation.split("->")[0].split(","):
                dots = extra if term.startswith("...") else []
                operands.append(c.floats(*dots, *[sizes[letter] for letter in term.replace("...", "")]))
            c.add("einsum", [equation, *operands], lambda *xs, e=equation: torch.einsum(e, *xs))
    for _ in range(3):
        m, n, k, b = size(), size(), size(), size()
        c.add("dot", [c.floats(n), c.floats(n)], torch.dot)
        c.add("outer", [c.floats(m), c.floats(n)], torch.outer)
        c.add("bmm", [c.floats(b, m, k), c.floats(b, k, n)], torch.bmm)
