# Features of light curves made another way than domain/features: numpy over whole arrays, and the light-curve package
# where it has the same definition. `input`: folders of ZTF packets. Read and run by domain/features/features.test.ts.
# Prints light curves, real and simulated, with the values of their features; null is missing.
import glob
import math
import fastavro
import light_curve as lc
import numpy as np

ZERO = 31.4
BANDS = ["g", "r", "i"]
rng = np.random.default_rng(20261121)


def from_mag(mag, err, sign=1):
    flux = 10 ** ((ZERO - mag) / 2.5)
    return sign * flux, flux * err * math.log(10) / 2.5


def from_flux(flux, err):
    return ZERO - 2.5 * math.log10(abs(flux)), 2.5 / math.log(10) * err / abs(flux)


def real_curves():
    """Each packet's own history: detections up to the alert, forced points of 3 sigma that are no detection."""
    for folder in input["folders"]:
        for path in sorted(glob.glob(folder + "/*.avro")):
            with open(path, "rb") as file:
                packet = next(fastavro.reader(file))
            now = packet["candidate"]
            points, limits = [], []
            for one in [now] + (packet["prv_candidates"] or []):
                if one["jd"] > now["jd"]:
                    continue
                if one["magpsf"] is None:
                    limits.append((one["jd"], float(one["diffmaglim"])))
                    continue
                sign = 1 if one["isdiffpos"] in ("t", "1") else -1
                mag, err = float(one["magpsf"]), float(one["sigmapsf"])
                points.append((one["candid"], one["jd"], one["fid"] - 1, mag, err, *from_mag(mag, err, sign)))
            # Of one time and band the detection with the lowest candid.
            points = list({(p[1], p[2]): p[1:] for p in sorted(points, reverse=True)}.values())
            detected = {(p[0], p[1]) for p in points}
            forced = 0
            for one in packet.get("fp_hists") or []:
                flux, err = one["forcediffimflux"], one["forcediffimfluxunc"]
                if one["jd"] > now["jd"] or flux in (None, -99999) or err in (None, -99999) or err <= 0:
                    continue
                scale = 10 ** ((ZERO - one["magzpsci"]) / 2.5)
                flux, err = flux * scale, err * scale
                if abs(flux) < 3 * err or (one["jd"], one["fid"] - 1) in detected:
                    continue
                points.append((one["jd"], one["fid"] - 1, *from_flux(flux, err), flux, err))
                forced += 1
            points.sort()
            yield "packet " + str(now["candid"]), points, forced, sorted(limits), now["jd"]


def simulated(name, times, bands, fluxes, errors, limits=()):
    points = [(t, b, *from_flux(f, e), f, e) for t, b, f, e in zip(times, bands, fluxes, errors)]
    points.sort()
    return name, points, 0, list(limits), points[-1][0] + 0.25


def simulated_curves():
    t0 = 2460000.5
    for size in (1, 2, 3, 4, 5, 35, 200):
        t = t0 + np.sort(rng.uniform(0, 2 * size, size))
        b = rng.integers(0, 3, size)
        e = rng.uniform(20, 60, size)
        x = (t - t0) / max(2 * size, 1) * 60 - 20
        supernova = 4000 * np.exp(-x / 25) / (1 + np.exp(-x / 3)) * (1 + 0.2 * b) + rng.normal(0, e) + 50
        yield simulated(f"supernova {size}", t, b, supernova, e, [(t0 - 3.0, 20.1), (t0 - 1.0, 19.9), (t0 + 1, 20.4)])
        sawtooth = 3000 * (((t - t0) / 0.5471) % 1) - 1500 + rng.normal(0, e)
        yield simulated(f"RR Lyrae {size}", t, b, sawtooth, e)
        yield simulated(f"noise {size}", t, b, 1000 + rng.normal(0, e), e)
    for size in (2, 5, 40):
        t = t0 + np.arange(size) * 3.0
        yield simulated(f"constant {size}", t, np.arange(size) % 2, np.full(size, 0.1 * 3333), np.full(size, 30.0))
    # One exposure time for two bands; nights of pairs; years without a point; an error of 0.
    t = np.repeat(t0 + np.arange(8) * 2.0, 2)
    yield simulated("equal times", t, np.tile([0, 1], 8), rng.normal(2000, 300, 16), np.full(16, 50.0))
    t = (t0 + np.arange(12)[:, None] + np.array([0, 0.03, 0.09])).ravel()
    yield simulated("pairs", t, rng.integers(0, 2, 36), rng.normal(1500, 200, 36), np.full(36, 60.0))
    t = t0 + np.array([0, 0.01, 0.02, 3000, 3000.5, 20000, 20000.02, 20001])
    yield simulated("gaps", t, [0, 0, 1, 1, 0, 0, 1, 0], rng.normal(-900, 400, 8), rng.uniform(10, 90, 8))
    errors = np.array([30.0, 0.0, 30.0, 30.0])
    yield simulated("no error", t0 + np.arange(4), [0, 0, 0, 1], rng.normal(900, 400, 4), errors)
    walk = np.cumsum(rng.normal(0, 100, 90)) + 3000
    yield simulated("random walk", t0 + np.cumsum(rng.uniform(0.02, 2, 90)), np.zeros(90, int), walk, np.full(90, 5.0))
    yield "only limits", [], 0, [(t0, 20.0)], t0 + 1
    yield "nothing", [], 0, [], t0


def fit(t, m, s):
    names = ("Rate", "RateError", "Chi2", "Count", "Span")
    none = dict.fromkeys(names)
    if len(t) < 2 or t[-1] - t[0] <= 0.01 or np.any(s <= 0):
        return none
    low, high = np.argmin(m), np.argmax(m)
    if m[low] + s[low] >= m[high] - s[high]:
        return none
    w = 1 / s**2
    x = t - t[0]
    if np.sum(w * (x - np.average(x, weights=w)) ** 2) < 1e-10:
        return none
    design = np.column_stack([np.ones(len(t)), x]) / s[:, None]
    solution, *_ = np.linalg.lstsq(design, m / s, rcond=None)
    covariance = np.linalg.inv(design.T @ design)
    chi2 = np.sum((m / s - design @ solution) ** 2)
    return dict(zip(names, (solution[1], np.sqrt(covariance[1, 1]), chi2 / (len(t) - 2) if len(t) > 2 else None, len(t), t[-1] - t[0])))


def stetson(t, d):
    if not np.sum(d**2) > 0:
        return {}
    terms, i = [], 0
    while i < len(t):
        if i + 1 < len(t) and t[i + 1] - t[i] <= 0.1:
            terms.append((1.0, d[i] * d[i + 1]))
            i += 2
        else:
            terms.append((0.5, d[i] ** 2 - 1))
            i += 1
    p, product = np.array(terms).T
    j = np.sum(p * np.sign(product) * np.sqrt(np.abs(product))) / np.sum(p)
    k = np.mean(np.abs(d)) / np.sqrt(np.mean(d**2))
    return {"stetsonJ": j, "stetsonK": k, "stetsonL": j * k / np.sqrt(2 / np.pi)}


def structure(t, f, e):
    t, f, e = t[-64:], f[-64:], e[-64:]
    i, j = np.triu_indices(len(t), 1)
    lag = t[j] - t[i]
    square = (f[j] - f[i]) ** 2 - e[i] ** 2 - e[j] ** 2
    octave = np.floor(np.log2(np.where(lag > 0, lag, 1e-9)))
    x, y = [], []
    for k in np.unique(octave[octave >= -6]):
        chosen = octave == k
        if np.sum(chosen) >= 3 and np.mean(square[chosen]) > 0:
            x.append((k + 0.5) * np.log10(2))
            y.append(np.log10(np.sqrt(np.mean(square[chosen]))))
    return np.polyfit(x, y, 1)[0] if len(x) >= 3 else None


def band(t, m, s, f, e):
    out = {"count": len(t)}
    if len(t) == 0:
        return out
    peak, faint = np.argmin(m), np.argmax(m)
    out |= {"peakJd": t[peak], "peakMag": m[peak], "peakMagError": s[peak], "faintestJd": t[faint], "faintestMag": m[faint]}
    out |= {"firstJd": t[0], "firstMag": m[0], "lastJd": t[-1], "lastMag": m[-1], "span": t[-1] - t[0]}
    out |= {"meanMag": np.mean(m), "rmsMag": np.std(m) if np.ptp(m) > 0 else 0.0}
    out |= {"rising" + k: v for k, v in fit(t[: peak + 1], m[: peak + 1], s[: peak + 1]).items()}
    out |= {"fading" + k: v for k, v in fit(t[peak:], m[peak:], s[peak:]).items()}
    if peak > 0:
        out["riseToPeak"] = (m[peak] - m[0]) / (t[peak] - t[0])
    if peak < len(t) - 1:
        out["decayFromPeak"] = (m[-1] - m[peak]) / (t[-1] - t[peak])
    out |= {"meanFlux": np.mean(f), "amplitude": np.ptp(f) / 2, "median": np.median(f)}
    ranks = (5, 10, 25, 75, 90, 95)
    out |= {f"percentile{p}": np.percentile(f, p) for p in ranks}
    out |= {f"interPercentile{100 - 2 * p}": np.percentile(f, 100 - p) - np.percentile(f, p) for p in ranks[:3]}
    out["mad"] = lc.MedianAbsoluteDeviation()(t - t[0], f)[0]
    weighted = np.all(e > 0)
    if weighted:
        mean = out["weightedMeanFlux"] = np.average(f, weights=1 / e**2)
    out["structureSlope"] = structure(t, f, e)
    n = len(t)
    if n < 2:
        return out
    varies = np.ptp(f) > 0
    package = lambda name, least=2, *options: getattr(lc, name)(*options)(t - t[0], f, e)[0] if n >= least else None
    out["std"] = package("StandardDeviation") if varies else 0.0
    # Written out: the package's own mean is of fluxes that were rounded another way where the mean is near 0.
    out["excessVariance"] = (out["std"] ** 2 - np.mean(e**2)) / np.mean(f) ** 2
    out["linearTrend"] = np.polyfit(t - t[0], f - f[0], 1)[0] if varies else 0.0
    out["linearTrendError"] = None if n < 3 else lc.LinearTrend()(t - t[0], f)[1] if varies else 0.0
    out["maximumSlope"] = package("MaximumSlope")
    if varies:
        out |= {"eta": package("Eta"), "etaE": package("EtaE"), "cusumRange": package("Cusum")}
        out |= {"skew": package("Skew", 3), "kurtosis": package("Kurtosis", 4)}
        out |= {"beyond1Std": package("BeyondNStd", 2, 1.0), "beyond2Std": package("BeyondNStd", 2, 2.0)}
    if weighted:
        d = np.sqrt(n / (n - 1)) * (f - mean) / e if varies else np.zeros(n)
        out["reducedChi2"] = np.sum(((f - mean) / e) ** 2) / (n - 1) if varies else 0.0
        out |= stetson(t, d) | {"delta": d}
    return out


def colour(blue, red, a, b):
    out = {"peakColour": a["peakMag"] - b["peakMag"], "meanColour": a["meanMag"] - b["meanMag"]}
    gap = np.abs(blue[0][:, None] - red[0][None, :])
    pairs = np.argwhere(gap == gap.min())
    if gap.min() <= 1:
        i, j = max(pairs, key=lambda pair: blue[0][pair[0]] + red[0][pair[1]])
        out |= {"nearestColour": blue[1][i] - red[1][j], "nearestColourJd": (blue[0][i] + red[0][j]) / 2, "nearestColourGap": gap.min()}
    return out


def features(points, forced, limits, jd):
    t, b, m, s, f, e = (np.array(column) for column in zip(*points)) if points else [np.array([])] * 6
    out = {"count": len(t), "forcedCount": forced, "detectionCount": len(t) - forced, "nonDetectionCount": len(limits)}
    if limits:
        out["deepestLimit"] = max(limit for _, limit in limits)
    before = [one for one in limits if len(t) and one[0] < t[0]]
    out["nonDetectionsBefore"] = len(before)
    if before:
        last = max(before)
        out |= {"lastNonDetectionJd": last[0], "lastNonDetectionLimit": last[1], "timeToNonDetection": t[0] - last[0]}
    own = {}
    for index, name in enumerate(BANDS):
        of = b == index
        own[name] = band(t[of], m[of], s[of], f[of], e[of])
    if len(t):
        peak, faint = np.argmin(m), np.argmax(m)
        out |= {"positiveFraction": np.mean(f > 0), "firstJd": t[0], "lastJd": t[-1], "stationary": bool(t[-1] - t[0] > 0.01)}
        out |= {"peakJd": t[peak], "peakMag": m[peak], "peakMagError": s[peak], "peakBand": int(b[peak])}
        out |= {"faintestJd": t[faint], "faintestMag": m[faint], "faintestMagError": s[faint], "faintestBand": int(b[faint])}
        out |= {"age": jd - t[0], "daysSincePeak": jd - t[peak], "daysToPeak": t[peak] - t[0]}
    used = [(index, one["delta"]) for index, one in enumerate(own.values()) if "delta" in one]
    if used:
        out["reducedChi2"] = sum(own[BANDS[i]]["reducedChi2"] * (len(d) - 1) for i, d in used) / sum(len(d) - 1 for _, d in used)
        when = np.concatenate([t[b == i] for i, _ in used])
        delta = np.concatenate([d for _, d in used])
        place = np.concatenate([np.flatnonzero(b == i) for i, _ in used])
        order = np.argsort(place)
        out |= stetson(when[order], delta[order])
    for name in BANDS:
        own[name].pop("delta", None)
        out |= {f"{name}.{key}": value for key, value in own[name].items()}
    for x, y in zip(BANDS, BANDS[1:]):
        if own[x]["count"] and own[y]["count"]:
            pair = [(t[b == BANDS.index(c)], m[b == BANDS.index(c)]) for c in (x, y)]
            out |= {f"{x}{y}.{key}": value for key, value in colour(*pair, own[x], own[y]).items()}
    return {key: plain(value) for key, value in out.items()}


def plain(value):
    if value is None or isinstance(value, bool):
        return value
    value = float(value)
    return value if math.isfinite(value) else None


curves = []
for name, points, forced, limits, jd in [*real_curves(), *simulated_curves()]:
    rows = [[float(value) for value in point] for point in points]
    curves.append({"name": name, "points": rows, "forced": forced, "limits": limits, "jd": jd, "features": features(points, forced, limits, jd)})
print(json.dumps(curves))
