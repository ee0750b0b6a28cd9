"""
Trains models/lightcurve-sim: what kind of source, from an alert's history. Run: python light_curves.py [folder]
Histories are simulated here: what an alert of ZTF tells of its object so far, for seven kinds of sources. Seeded.
"""

import sys
from pathlib import Path

import numpy as np
from graph import Graph, rounded, run, write
from sklearn.metrics import confusion_matrix, roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

CLASSES = ["SNIa", "SNII", "TDE", "variable", "AGN", "flare", "asteroid"]
LENGTH = 64
FIELDS = ["age", "band", "flux", "fluxError"]
BANDS = {"u": 4, "g": 1, "r": 2, "i": 3, "z": 5, "y": 6}
DEPTH = {1: 20.8, 2: 20.6, 3: 20.0}
# Days before the alert.
AGES = [-1.0, 0.01, 0.5, 1.5, 3.5, 6.5, 10.5, 16.5, 24.5, 35.5, 60.5, 120.5, 1e5]
SAMPLES = 30_000
SEED = 20_261_122


def flux(magnitude):
    """nJy of an AB magnitude."""
    return 10 ** (-0.4 * (np.asarray(magnitude, float) - 31.4))


def colour(band, **of):
    """Magnitude in each point's band minus magnitude in r."""
    return np.select([band == 1, band == 3], [of["g"], of["i"]], 0.0)


def supernova_ia(t, band, rng):
    rise, fall = rng.normal(18, 1.5), rng.uniform(11, 16) * np.where(band == 1, 0.8, 1.15)
    phase = t - rng.uniform(0, 60)
    up = np.clip(1 + phase / rise, 0, 1) ** 2 * (1 - 2 * phase / rise)
    bump = np.where(band == 1, 0.0, np.where(band == 2, 0.12, 0.3)) * np.exp(-(((phase - 24) / 8) ** 2) / 2)
    down = 0.92 * np.exp(-phase / fall) + 0.08 * np.exp(-phase / 70) + bump
    shape = np.where(phase < 0, up, down)
    return shape * flux(rng.uniform(16.5, 20.3) + colour(band, g=0.05, i=0.25))


def supernova_ii(t, band, rng):
    rise, plateau = rng.uniform(3, 9), rng.uniform(60, 120)
    phase = t - rng.uniform(0, 60)
    slope = np.where(band == 1, rng.uniform(0.018, 0.035), rng.uniform(0.0, 0.012))
    drop = 1 / (1 + np.exp((phase - plateau) / 4))
    down = 10 ** (-0.4 * slope * np.maximum(phase, 0)) * (0.9 * drop + 0.1)
    shape = np.where(phase < 0, np.clip(1 + phase / rise, 0, 1) ** 1.2, down)
    return shape * flux(rng.uniform(17, 20.4) + colour(band, g=-0.05, i=0.1))


def tidal_disruption(t, band, rng):
    width, fade = rng.uniform(12, 30), rng.uniform(35, 90)
    phase = t - rng.uniform(0, 90)
    shape = np.where(phase < 0, np.exp(-((phase / width) ** 2) / 2), (1 + np.maximum(phase, 0) / fade) ** (-5 / 3))
    return shape * flux(rng.uniform(16.8, 20) + colour(band, g=rng.uniform(-0.4, -0.15), i=0.15))


def variable(t, band, rng):
    mean, amplitude = rng.uniform(14, 19.3), rng.uniform(0.15, 1.2)
    period = rng.uniform(0.25, 0.9) if rng.random() < 0.5 else 10 ** rng.uniform(0, 2.5)
    phase = (t / period + rng.random()) % 1
    rise = rng.uniform(0.1, 0.5)
    light = np.where(phase < rise, phase / rise - 0.5, 0.5 - (phase - rise) / (1 - rise))
    if rng.random() < 0.25:
        light = -np.exp(-(((phase - 0.5) / 0.05) ** 2) / 2) + 0.1
    level = mean + colour(band, g=rng.uniform(0, 1), i=-0.2)
    return flux(level - amplitude * light * np.where(band == 1, 1.2, 1.0)) - flux(level)


def active_nucleus(t, band, rng):
    scatter, scale = rng.uniform(0.1, 0.4), 10 ** rng.uniform(1.5, 2.7)
    order = np.argsort(t)
    walk, at, value = np.empty(len(t)), None, rng.normal(0, scatter)
    for i in order:
        keep = 1.0 if at is None else np.exp(-(t[i] - at) / scale)
        value = keep * value + rng.normal(0, scatter * np.sqrt(1 - keep * keep))
        walk[i], at = value, t[i]
    level = rng.uniform(16.5, 19.7) + colour(band, g=rng.uniform(0, 0.6), i=-0.1)
    return flux(level + walk * np.where(band == 1, 1.15, 1.0)) - flux(level)


def flare(t, band, rng):
    decay = 10 ** rng.uniform(-2, -0.7)
    phase = t - rng.uniform(0, 0.5)
    shape = np.where(phase < 0, 0.0, 0.7 * np.exp(-np.maximum(phase, 0) / decay) + 0.3 * np.exp(-np.maximum(phase, 0) / (4 * decay)))
    return shape * flux(rng.uniform(15.5, 19) + colour(band, g=-0.3, i=0.4))


def asteroid(t, band, rng):
    return np.where(np.arange(len(t)) == 0, flux(rng.uniform(16, 20.2) + colour(band, g=0.5, i=-0.2)), 0.0)


MAKERS = [supernova_ia, supernova_ii, tidal_disruption, variable, active_nucleus, flare, asteroid]


def history(kind, rng):
    """[LENGTH, 4] of an alert: its own point and, of before, detections and (in half of the histories) forced points."""
    for _ in range(200):
        # The alert is one of the visits of a survey; sources begin within some months around it.
        nights = np.cumsum(rng.exponential(rng.uniform(1.5, 4), 120))
        times, bands = [], []
        for night in nights[nights < 250]:
            for n, band in enumerate([(1, 2), (2, 1), (2,), (1, 2, 3)][rng.integers(4)]):
                times.append(np.floor(night) + rng.uniform(0, 0.3) + n * 0.03)
                bands.append(band)
        jd, band = np.array(times), np.array(bands)
        late = rng.integers(0, len(jd))
        start = jd[late] if kind in (5, 6) else jd[late] - rng.uniform(0, 120)
        if kind == 6:
            jd, band = np.roll(jd, -late), np.roll(band, -late)
        if kind == 5:
            # One that was seen at all was seen within hours.
            start -= rng.uniform(0, 0.1)
        true = MAKERS[kind](jd - start, band, rng)
        limit = np.array([DEPTH[b] for b in band]) - np.abs(rng.normal(0, 0.4, len(jd)))
        error = flux(limit) / 5
        seen = true + rng.normal(0, error)
        error = np.sqrt(error**2 + (0.01 * true) ** 2)
        detected = np.abs(seen) > 5 * flux(limit) / 5
        order = np.argsort(jd, kind="stable")
        jd, band, seen, error, detected = (a[order] for a in (jd, band, seen, error, detected))
        if not detected.any():
            continue
        # Any of its alerts; the first ones matter most, and there every source has one.
        of = np.flatnonzero(detected)
        alert = of[min(len(of) - 1, int(rng.exponential(5)))] if rng.random() < 0.5 else rng.choice(of)
        age = jd[alert] - jd
        forced = (age <= 30) & (age > 0) if rng.random() < 0.5 else np.zeros(len(jd), bool)
        before = np.arange(len(jd)) <= alert
        points = np.flatnonzero(before & (detected | forced))
        # An image with a detection has a forced point too.
        points = np.sort(np.concatenate([points, np.flatnonzero(before & detected & forced)]))[-LENGTH:]
        made = np.zeros((LENGTH, len(FIELDS)), np.float32)
        made[: len(points)] = np.stack([age[points], band[points], seen[points], error[points]], axis=1)
        return made
    raise RuntimeError("no detection in 200 tries")


def features():
    """The graph from the history [N, LENGTH, 4], padded with zeros, to means in bins of age and numbers of the whole."""
    g = Graph("lightcurve-sim", "history", ["N", LENGTH, len(FIELDS)])
    age, band, f, error = (g.slice("history", [k], [k + 1], [2]) for k in range(4))
    there = g.truth(g.op("Greater", error, 0.0))
    # Brightest of all, at either sign: fluxes are in its units.
    size = g.op("Abs", g.op("Mul", f, there))
    scale = g.op("Max", g.max(size, [1]), 1.0)
    y = g.op("Mul", g.op("Div", f, scale), there)
    snr = g.op("Mul", g.op("Div", f, g.op("Max", error, 1e-3)), there)
    # A hundredth of the brightness is how well anything is known.
    known = g.op("Add", g.op("Div", error, scale), 0.01)
    weight = g.op("Div", there, g.op("Mul", known, known))

    lows = np.array(AGES[:-1], np.float32).reshape(1, 1, -1)
    highs = np.array(AGES[1:], np.float32).reshape(1, 1, -1)
    in_bin = g.op("Mul", g.truth(g.op("Greater", age, lows)), g.truth(g.op("LessOrEqual", age, highs)))
    parts = []
    for bands in ([1, 2, 3], [1], [2]):
        mine = in_bin
        if len(bands) == 1:
            mine = g.op("Mul", in_bin, g.truth(g.op("Equal", band, float(bands[0]))))
        weights = g.op("Mul", mine, weight)
        total = g.sum(weights, [1])
        mean = g.op("Div", g.sum(g.op("Mul", weights, y), [1]), g.op("Add", total, 1e-6))
        count = g.sum(g.op("Mul", mine, there), [1])
        parts += [mean, g.op("Log", g.op("Add", count, 1.0))]
    detected = g.truth(g.op("Greater", g.op("Abs", snr), 5.0))
    positive = g.truth(g.op("Greater", snr, 5.0))
    number = g.op("Max", g.sum(detected, [1]), 1.0)
    mean = g.op("Div", g.sum(g.op("Mul", y, detected), [1]), number)
    off = g.op("Mul", g.op("Sub", y, mean), detected)
    brightest = g.truth(g.op("GreaterOrEqual", size, scale))
    step = g.op(
        "Mul",
        g.op("Sub", g.slice(y, [1], [LENGTH], [1]), g.slice(y, [0], [LENGTH - 1], [1])),
        g.op("Mul", g.slice(detected, [1], [LENGTH], [1]), g.slice(detected, [0], [LENGTH - 1], [1])),
    )
    span = g.max(g.op("Mul", age, detected), [1])
    whole = [
        g.op("Log", scale),
        g.op("Log", g.op("Add", g.max(g.op("Abs", snr), [1]), 1.0)),
        g.op("Div", g.sum(positive, [1]), number),
        g.op("Log", g.op("Add", number, 1.0)),
        g.op("Sqrt", g.op("Div", g.sum(g.op("Mul", off, off), [1]), number)),
        g.op("Sqrt", g.op("Div", g.sum(g.op("Mul", step, step), [1]), number)),
        g.op("Log", g.op("Add", g.max(g.op("Mul", age, brightest), [1]), 0.1)),
        g.op("Log", g.op("Add", span, 0.1)),
    ]
    flat = [g.reshape(part, [-1, len(AGES) - 1]) for part in parts] + [g.reshape(part, [-1, 1]) for part in whole]
    return g, g.op("Concat", *flat, axis=1), len(parts) * (len(AGES) - 1) + len(whole)


def main(folder):
    rng = np.random.default_rng(SEED)
    graph, last, width = features()
    kinds = rng.integers(0, len(CLASSES), SAMPLES)
    x = run(graph.model(last, "features", width), np.stack([history(k, rng) for k in kinds]))
    split = int(0.75 * SAMPLES)
    scaler = StandardScaler().fit(x[:split])
    scaled = np.clip(scaler.transform(x), -8, 8)
    mlp = MLPClassifier((64, 32), alpha=1e-2, early_stopping=True, max_iter=60, batch_size=256, random_state=SEED % 2**31)
    mlp.fit(scaled[:split], kinds[:split])
    model = graph.model(graph.mlp(last, scaler, mlp), "probability", len(CLASSES))

    score, truth = mlp.predict_proba(scaled[split:]), kinds[split:]
    best = score.argmax(axis=1)
    confusion = confusion_matrix(truth, best)
    sure = score.max(axis=1) >= 0.5
    quality = {
        "testAlerts": int(len(truth)),
        "accuracy": rounded(np.mean(best == truth)),
        "accuracyWhereClassed": rounded(np.mean(best[sure] == truth[sure])),
        "classed": rounded(np.mean(sure)),
        "rocAucOneAgainstRest": {name: rounded(roc_auc_score(truth == k, score[:, k])) for k, name in enumerate(CLASSES)},
        "confusion": {name: dict(zip(CLASSES, map(int, confusion[k]))) for k, name in enumerate(CLASSES)},
    }
    print(quality)
    write(
        folder,
        model,
        {
            "name": "lightcurveSim",
            "version": "1",
            "licence": "MIT",
            "description": "Kind of source from the history up to the alert. Trained on simulations: a demonstration, not for science.",
            "state": "retired",
            "trainedOn": f"{split} simulated alerts, models/train/light_curves.py, seed {SEED}",
            "quality": quality,
            "surveys": ["ZTF", "LSST"],
            "inputs": [
                {
                    "tensor": "history",
                    "kind": "list",
                    "lists": ["detections", "forced"],
                    "fields": FIELDS,
                    "codes": {"band": BANDS},
                    "length": LENGTH,
                    "take": "last",
                    "pad": 0,
                    "missing": 0,
                }
            ],
            "outputs": [{"tensor": "probability", "names": CLASSES}],
            "class": {"of": CLASSES, "threshold": 0.5},
        },
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent / "lightcurve-sim")
