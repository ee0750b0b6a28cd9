"""
Trains models/stamps-sim: real or bogus, from three simulated 63 x 63 stamps. Run: python real_bogus.py [folder]
Everything is drawn here: point sources of either sign on hosts, stars or nothing; and what is no source: misaligned and
mismatched subtractions, cosmic rays, bad columns, image edges, smooth ghosts and peaks of noise. Seeded.
"""

import sys
from pathlib import Path

import numpy as np
from graph import Graph, rounded, run, write
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

SIDE = 63
CROP = 19
SAMPLES = 36_000
SEED = 20_261_121
KINDS = ["point", "dipole", "mismatch", "cosmic ray", "bad column", "edge", "ghost", "noise"]
Y, X = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)


def bell(x0, y0, fwhm, ratio=1.0, angle=0.0):
    """A unit-peak PSF: Gaussian core and a weak wide wing, elongated by `ratio`."""
    sigma = fwhm / 2.3548
    u = (X - x0) * np.cos(angle) + (Y - y0) * np.sin(angle)
    v = (-(X - x0) * np.sin(angle) + (Y - y0) * np.cos(angle)) * ratio
    r2 = (u * u + v * v) / sigma**2
    return 0.95 * np.exp(-r2 / 2) + 0.05 / (1 + r2 / 8) ** 2


def galaxy(x0, y0, radius, rng):
    ratio, angle = rng.uniform(1, 3), rng.uniform(0, np.pi)
    u = (X - x0) * np.cos(angle) + (Y - y0) * np.sin(angle)
    v = (-(X - x0) * np.sin(angle) + (Y - y0) * np.cos(angle)) * ratio
    return np.exp(-np.sqrt(u * u + v * v) / radius)


def alert(kind, rng):
    """Science, template, difference; noise of the science image is 1 before scaling."""
    mid = (SIDE - 1) / 2
    fwhm = rng.uniform(1.6, 4.0)
    ratio, angle = rng.uniform(1, 1.25), rng.uniform(0, np.pi)
    deep = rng.uniform(0.2, 0.6)
    field = np.zeros((SIDE, SIDE), np.float32)
    residue = np.zeros_like(field)

    def star(x, y, peak):
        nonlocal field, residue
        field += peak * bell(x, y, fwhm, ratio, angle)
        # Even a good subtraction leaves something at bright stars.
        residue += peak * rng.normal(0, 0.01) * bell(x, y, fwhm * 1.2)

    for _ in range(rng.poisson(3)):
        star(rng.uniform(-2, 65), rng.uniform(-2, 65), 10 ** rng.uniform(0.5, 3))
    x0, y0 = mid + rng.normal(0, 0.35, 2)
    science, difference = np.zeros_like(field), np.zeros_like(field)
    # Peak that a matched filter sees at 5 sigma and more.
    faintest = 5 / (np.sqrt(np.pi) * fwhm / 2.3548)
    peak = faintest * 10 ** rng.exponential(0.45)
    under = rng.random()
    if kind == "point":
        if under < 0.35:
            star(x0, y0, peak * 10 ** rng.uniform(-0.3, 1.5))
        elif under < 0.75:
            field += peak * 10 ** rng.uniform(-1, 1) * galaxy(
                mid + rng.normal(0, 3), mid + rng.normal(0, 3), rng.uniform(1.5, 5), rng
            )
        sign = -1 if under < 0.35 and rng.random() < 0.5 else 1
        source = sign * peak * bell(x0, y0, fwhm, ratio, angle)
        science, difference = source, source.copy()
    elif kind in ("dipole", "mismatch"):
        bright = peak * 10 ** rng.uniform(0.5, 2)
        profile = bell(x0, y0, fwhm, ratio, angle)
        field += bright * profile
        if kind == "dipole":
            shift, turn = rng.uniform(0.15, 0.8), rng.uniform(0, 2 * np.pi)
            moved = bell(x0 + shift * np.cos(turn), y0 + shift * np.sin(turn), fwhm, ratio, angle)
            pattern = moved - profile
        else:
            pattern = profile - bell(x0, y0, fwhm * rng.choice([0.75, 0.85, 1.2, 1.4]), ratio, angle)
        difference = max(bright, peak / np.abs(pattern).max()) * pattern
        difference += np.sqrt(np.maximum(bright * profile, 0)) * rng.normal(0, 0.5, field.shape)
    elif kind == "cosmic ray":
        length, turn = rng.exponential(3), rng.uniform(0, 2 * np.pi)
        for step in np.arange(0, length + 0.5, 0.5):
            x, y = int(round(x0 + step * np.cos(turn))), int(round(y0 + step * np.sin(turn)))
            if 0 <= x < SIDE and 0 <= y < SIDE:
                difference[y, x] = peak * rng.uniform(1, 4)
        science = difference
    elif kind == "bad column":
        at, width = int(mid + rng.integers(-2, 3)), rng.integers(1, 3)
        first, last = sorted(rng.integers(0, SIDE, 2)) if rng.random() < 0.4 else (0, SIDE)
        difference[min(first, 28) : max(last, 35), at : at + width] = peak * rng.choice([-1, 1])
        difference = difference if rng.random() < 0.7 else difference.T
        science = difference
    elif kind == "ghost":
        difference = peak * rng.uniform(0.5, 2) * rng.choice([-1, 1]) * bell(x0, y0, rng.uniform(9, 30))
        science = difference
    elif kind == "edge" and rng.random() < 0.7:
        difference = peak * rng.choice([-1, 1]) * (1 / (1 + np.exp((X - mid) / rng.uniform(0.5, 2))) - 0.5)
        science = difference

    noise = rng.normal(0, 1, field.shape)
    if rng.random() < 0.5:
        # Resampled images have correlated noise.
        noise = (noise + 0.5 * np.roll(noise, 1, 0) + 0.5 * np.roll(noise, 1, 1)) / 1.2
    if kind == "noise":
        difference = peak * 0.3 * bell(x0, y0, rng.uniform(0.8, 1.4)) * rng.choice([-1, 1])
    template_noise = rng.normal(0, deep, field.shape)
    stamps = np.stack(
        [
            rng.uniform(50, 500) + field + science + noise,
            rng.uniform(-20, 100) + field + template_noise,
            difference + residue + noise - template_noise,
        ]
    ).astype(np.float32)
    stamps *= 10 ** rng.uniform(-0.5, 1.5)
    if kind == "edge" or rng.random() < 0.03:
        turns = rng.integers(0, 4)
        # The position of a source must be on the image; of what an edge makes, it is at its border.
        kept = int(mid + (rng.integers(-1, 5) if kind == "edge" else rng.integers(7, 30)))
        stamps = np.rot90(stamps, turns, (1, 2)).copy()
        stamps[:, :, kept:] = np.nan if rng.random() < 0.5 else 0.0
        stamps = np.rot90(stamps, -turns, (1, 2)).copy()
    elif rng.random() < 0.5:
        stamps = np.rot90(stamps, rng.integers(0, 4), (1, 2)).copy()
    return stamps


def features():
    """The graph from raw stamps [N, 3, 63, 63] to numbers: shapes of the centres, and what the whole stamps show."""
    g = Graph("stamps-sim", "stamps", ["N", 3, SIDE, SIDE])
    area = [2, 3]
    missing = g.op("IsNaN", "stamps")
    x = g.op("Where", missing, 0.0, "stamps")
    # Zeros are how some images fill what they do not have.
    present = g.truth(g.op("Not", g.op("Equal", x, 0.0)))
    keep = present
    for _ in range(4):
        # Sky and noise without what shines: clipped mean and scatter.
        count = g.op("Max", g.sum(keep, area), 1.0)
        mean = g.op("Div", g.sum(g.op("Mul", x, keep), area), count)
        off = g.op("Sub", x, mean)
        variance = g.op("Div", g.sum(g.op("Mul", g.op("Mul", off, off), keep), area), count)
        sigma = g.op("Add", g.op("Sqrt", variance), 1e-6)
        inside = g.truth(g.op("Less", g.op("Abs", off), g.op("Mul", sigma, 3.0)))
        keep = g.op("Mul", present, inside)
    y = g.op("Mul", g.op("Div", off, sigma), present)

    low, high = (SIDE - CROP) // 2, (SIDE + CROP) // 2
    centre = g.slice(y, [low, low], [high, high], area)
    soft = g.op("Mul", g.op("Sign", centre), g.op("Log", g.op("Add", g.op("Abs", centre), 1.0)))
    norm = g.op("Sqrt", g.op("Add", g.sum(g.op("Mul", soft, soft), area), 1.0))
    shape = g.op("Mul", g.op("Div", soft, norm), 10.0)

    here = g.slice(present, [low, low], [high, high], area)
    clipped = g.op("Clip", y, g.constant(-20.0), g.constant(20.0))
    columns = g.op("Div", g.sum(clipped, [2]), float(SIDE))
    rows = g.op("Div", g.sum(clipped, [3]), float(SIDE))
    whole = [
        g.op("Log", norm),
        g.op("Log", g.op("Add", g.max(g.op("Abs", centre), area), 1.0)),
        g.op("Log", g.op("Add", g.max(g.op("Abs", y), area), 1.0)),
        g.max(g.op("Abs", columns), area),
        g.max(g.op("Abs", rows), area),
        g.op("Div", g.sum(present, area), float(SIDE * SIDE)),
        g.op("Div", g.sum(here, area), float(CROP * CROP)),
    ]
    parts = [g.reshape(shape, [-1, 3 * CROP * CROP])] + [g.reshape(part, [-1, 3]) for part in whole]
    return g, g.op("Concat", *parts, axis=1), 3 * CROP * CROP + 3 * len(whole)


def main(folder):
    rng = np.random.default_rng(SEED)
    graph, last, width = features()
    extractor = graph.model(last, "features", width)
    chances = [0.5] + [0.5 / (len(KINDS) - 1)] * (len(KINDS) - 1)
    kinds = rng.choice(len(KINDS), SAMPLES, p=chances)
    made = [
        run(extractor, np.stack([alert(KINDS[k], rng) for k in kinds[at : at + 500]])) for at in range(0, SAMPLES, 500)
    ]
    x, real = np.concatenate(made), (kinds == 0).astype(int)
    split = int(0.75 * SAMPLES)
    scaler = StandardScaler().fit(x[:split])
    mlp = MLPClassifier((32, 16), alpha=3e-2, early_stopping=True, max_iter=30, batch_size=256, random_state=SEED % 2**31)
    mlp.fit(np.clip(scaler.transform(x[:split]), -8, 8), real[:split])
    model = graph.model(graph.mlp(last, scaler, mlp), "score", 1)

    score = mlp.predict_proba(np.clip(scaler.transform(x[split:]), -8, 8))[:, 1]
    truth, kind = real[split:], kinds[split:]
    false_positive, true_positive, _ = roc_curve(truth, score)
    (tn, fp), (fn, tp) = confusion_matrix(truth, score > 0.5)
    quality = {
        "testAlerts": int(len(truth)),
        "rocAuc": rounded(roc_auc_score(truth, score)),
        "completenessAt1PercentFalse": rounded(true_positive[false_positive <= 0.01][-1]),
        "confusionAtHalf": {"realAsReal": int(tp), "realAsBogus": int(fn), "bogusAsReal": int(fp), "bogusAsBogus": int(tn)},
        "bogusRejectedByKind": {
            name: rounded(np.mean(score[kind == k] <= 0.5)) for k, name in enumerate(KINDS) if k > 0
        },
    }
    print(quality)
    write(
        folder,
        model,
        {
            "name": "stampsSim",
            "version": "1",
            "licence": "MIT",
            "description": "Real or bogus from the three cutouts. Trained on simulations: a demonstration, not for science.",
            "state": "retired",
            "trainedOn": f"{split} simulated alerts, models/train/real_bogus.py, seed {SEED}",
            "quality": quality,
            "surveys": ["ZTF"],
            "inputs": [
                {
                    "tensor": "stamps",
                    "kind": "cutouts",
                    "cutouts": ["science", "template", "difference"],
                    "size": SIDE,
                    "layout": "channelsFirst",
                    "normalise": "none",
                    "fill": None,
                    "missing": "skip",
                }
            ],
            "outputs": [{"tensor": "score", "names": ["real"]}],
        },
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent / "stamps-sim")
