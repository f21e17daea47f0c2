"""Writes streaming.json: metrics by scikit-learn 1.2, replayed by test/train/streaming.test.ts.

    /usr/bin/python3 test/train/streaming.py        (Debian: apt install python3-sklearn)
"""

import json
import os

import numpy as np
from sklearn import metrics as m

rng = np.random.default_rng(6)
cases = []
for n, classes in [(7, 3), (40, 4), (200, 6)]:
    x = rng.integers(-16, 17, (n, classes)) / 8
    y = rng.integers(0, classes - (n == 7), n)
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    guess = x.argmax(1)
    labels = list(range(classes))
    top = np.argsort(-x, axis=1, kind="stable")[:, :2]
    conf = p.max(1).astype(np.float32).astype(float)
    bins = np.clip(np.ceil(conf * 15).astype(int) - 1, 0, 14)
    ece = sum(abs((guess == y)[bins == b].mean() - conf[bins == b].mean()) * (bins == b).mean() for b in set(bins))
    want = {"Accuracy": m.accuracy_score(y, guess), "TopKAccuracy": np.mean([a in t for a, t in zip(y, top)])}
    for name, f in [("Precision", m.precision_score), ("Recall", m.recall_score), ("F1", m.f1_score)]:
        for average in ["macro", "micro"]:
            want[name + ":" + average] = f(y, guess, average=average, zero_division=0)
    want["LogLoss"] = m.log_loss(y, p, labels=labels)
    want["Perplexity"] = np.exp(want["LogLoss"])
    want["CalibrationError"] = ece
    cases.append({"output": x.tolist(), "target": y.tolist(), "want": want, "matrix": m.confusion_matrix(y, guess, labels=labels).tolist()})

for n in [9, 150]:
    x = rng.integers(-8, 9, n) / 4  # with ties
    y = rng.integers(0, 2, n)
    guess = x > 0
    cases.append({"output": x.tolist(), "target": y.tolist(), "want": {
        "ROCAUC": m.roc_auc_score(y, x), "PRAUC": m.average_precision_score(y, x), "Precision:binary": m.precision_score(y, guess),
        "Recall:binary": m.recall_score(y, guess), "F1:binary": m.f1_score(y, guess), "LogLoss": m.log_loss(y, 1 / (1 + np.exp(-x)))}})

for n in [5, 120]:
    y = rng.integers(-64, 65, n) / 16 + 1000
    x = y + rng.integers(-8, 9, n) / 16
    cases.append({"output": x.tolist(), "target": y.tolist(), "want": {
        "MAE": m.mean_absolute_error(y, x), "MSE": m.mean_squared_error(y, x), "RMSE": m.mean_squared_error(y, x) ** 0.5, "R2": m.r2_score(y, x)}})

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "streaming.json"), "w") as file:
    json.dump(cases, file, separators=(",", ":"), default=float)
    file.write("\n")
