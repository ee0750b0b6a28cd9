// Sky maps against healpy and plain numpy: flat in both orders, multi-order, levels and areas; files that are no maps.
import { beforeAll, describe, expect, it } from "vitest";
import { python, pythonHas } from "../test/python.js";
import { nestedPixel } from "./healpix.js";
import { distanceMoments } from "./skymap.distance.js";
import { type ReadSkymap, readSkymapFits } from "./skymap.fits.js";
import { cellAt, credibleArea, credibleLevel, levelsOf } from "./skymap.js";

const hasHealpy = pythonHas("healpy", "astropy_healpix", "astropy");
if (!hasHealpy) console.warn("skipped: sky maps against healpy (TOCSIN_PYTHON cannot import healpy)");

interface Truth {
  readonly files: Record<string, string>;
  readonly positions: [number, number][];
  /** At each position, of the flat maps and of the multi-order one. */
  readonly flat: number[];
  readonly multi: number[];
  readonly flatAreas: number[];
  readonly multiAreas: number[];
  readonly bad: Record<string, string>;
  /** Mean and standard deviation along the line of sight, Mpc. */
  readonly flatPlaces: [number, number][];
  readonly flatDistances: ([number, number] | [null, null])[];
  readonly multiPlaces: [number, number][];
  readonly multiDistances: ([number, number] | [null, null])[];
}

const LEVELS = [0.1, 0.5, 0.9, 0.99];

describe.skipIf(!hasHealpy)("sky maps against healpy", () => {
  let truth: Truth;
  const file = (of: Record<string, string>, name: string) => Buffer.from(of[name]!, "base64");

  beforeAll(() => {
    truth = python<Truth>(
      `
import base64, os, tempfile
import numpy as np, healpy as hp
import astropy_healpix as ah
import astropy.units as u
from astropy.io import fits
from astropy.table import Table
rng = np.random.default_rng(5)
def b64(save):
    with tempfile.TemporaryDirectory() as d:
        p = os.path.join(d, "m.fits"); save(p)
        return base64.b64encode(open(p, "rb").read()).decode()
def blob(lon, lat, width):
    r, e = np.radians(lon), np.radians(lat)
    x, y, z = np.cos(e)*np.cos(r), np.cos(e)*np.sin(r), np.sin(e)
    cx, cy, cz = np.cos(np.radians(-60))*np.cos(np.radians(300)), np.cos(np.radians(-60))*np.sin(np.radians(300)), np.sin(np.radians(-60))
    return np.exp((x*cx + y*cy + z*cz - 1) / width)
nside = 64
npix = hp.nside2npix(nside)
lon, lat = hp.pix2ang(nside, np.arange(npix), nest=True, lonlat=True)
prob = blob(lon, lat, 0.02) * rng.uniform(0.5, 1, npix)
prob /= prob.sum()
def levels(density, mass):
    order = np.argsort(-density, kind="stable")
    out = np.empty(len(density)); out[order] = np.cumsum(mass[order]) / mass.sum()
    return out
lv = levels(prob, prob)
extra = [("OBJECT", "S230518h"), ("MJD-OBS", 60082.25), ("DISTMEAN", 204.5), ("DISTSTD", 57.0)]
files = {}
files["nested"] = b64(lambda p: hp.write_map(p, prob, nest=True, dtype=np.float64, coord="C", extra_header=extra, column_names=["PROB"]))
files["ring"] = b64(lambda p: hp.write_map(p, hp.reorder(prob, n2r=True), nest=False, dtype=np.float64, coord="C", extra_header=extra, column_names=["PROBABILITY"]))
# Multi-order: order 3 everywhere, divided to 6 near the peak.
cells = []
for pix in range(12 * 64):
    l, b = hp.pix2ang(8, pix, nest=True, lonlat=True)
    if blob(l, b, 0.02) > 1e-4:
        cells += [(6, pix * 64 + k) for k in range(64)]
    else:
        cells.append((3, pix))
order = np.array([c[0] for c in cells]); ipix = np.array([c[1] for c in cells])
l, b = hp.pix2ang(2 ** order, ipix, nest=True, lonlat=True)
dens = blob(l, b, 0.02) * rng.uniform(0.5, 1, len(cells))
area = 4 * np.pi / (12 * 4.0 ** order)
dens /= (dens * area).sum()
uniq = ah.level_ipix_to_uniq(order, ipix)
shuffled = rng.permutation(len(cells))
def save_multi(p, uniq=uniq[shuffled], dens=dens[shuffled], **cards):
    t = Table({"UNIQ": uniq, "PROBDENSITY": dens, "DISTMU": np.full(len(uniq), 200.0)})
    h = fits.table_to_hdu(t)
    for k, v in {"PIXTYPE": "HEALPIX", "ORDERING": "NUNIQ", "COORDSYS": "C", "MOCORDER": 6, "OBJECT": "S230518h", "DATE-OBS": "2023-05-18T06:00:00", "INDXSCHM": "EXPLICIT", **cards}.items():
        h.header[k.replace("_", "-")] = v
    fits.HDUList([fits.PrimaryHDU(), h]).writeto(p)
files["multi"] = b64(save_multi)
# Distances: a pixel of each kind, some without.
def distances(n):
    mu = rng.uniform(-300, 900, n); sigma = rng.uniform(5, 200, n)
    mu[::11] = np.inf; sigma[::11] = 1; sigma[1::17] = 0; mu[2::19] = np.nan
    return mu, sigma
def moments(mu, sigma):
    # Numerically: the density r^2 exp(-(r - mu)^2 / 2 sigma^2) on a fine grid around all that matters of it.
    with np.errstate(all="ignore"):
        peak = (mu + np.sqrt(mu ** 2 + 8 * sigma ** 2)) / 2
    out = np.full((2, len(mu)), np.nan)
    for k in np.flatnonzero(np.isfinite(mu) & (sigma > 0)):
        width = 1 / np.sqrt(1 / sigma[k] ** 2 + 2 / peak[k] ** 2)
        r = np.linspace(max(0, peak[k] - 14 * width), peak[k] + 25 * width, 20001)
        log = 2 * np.log(np.maximum(r, 1e-300)) - (r - mu[k]) ** 2 / (2 * sigma[k] ** 2)
        w = np.exp(log - log.max())
        mean = np.trapezoid(w * r, r) / np.trapezoid(w, r)
        out[:, k] = mean, np.sqrt(np.trapezoid(w * (r - mean) ** 2, r) / np.trapezoid(w, r))
    return out
mu, sigma = distances(npix)
small = rng.permutation(npix)[:4000]
columns = ["PROB", "DISTMU", "DISTSIGMA", "DISTNORM"]
norm = np.where(np.isfinite(mu), 1e-5, 0)
ring = hp.nest2ring(nside, small)
files["nestedDistances"] = b64(lambda p: hp.write_map(p, [prob, mu, sigma, norm], nest=True, dtype=np.float64, coord="C", column_names=columns))
files["ringDistances"] = b64(lambda p: hp.write_map(p, [hp.reorder(m, n2r=True) for m in (prob, mu, sigma, norm)], nest=False, dtype=np.float64, coord="C", column_names=columns))
flatDistances = moments(mu[small], sigma[small])
mmu, msigma = distances(len(cells))
def save_far(p):
    t = Table({"UNIQ": uniq[shuffled], "PROBDENSITY": dens[shuffled], "DISTMU": mmu[shuffled], "DISTSIGMA": msigma[shuffled], "DISTNORM": np.ones(len(cells))})
    h = fits.table_to_hdu(t)
    for k, v in {"PIXTYPE": "HEALPIX", "ORDERING": "NUNIQ", "COORDSYS": "C", "MOCORDER": 6, "MJD-OBS": 60082.25}.items(): h.header[k] = v
    fits.HDUList([fits.PrimaryHDU(), h]).writeto(p)
files["multiDistances"] = b64(save_far)
some = rng.permutation(len(cells))[:1000]
multiDistances = moments(mmu[some], msigma[some])
def lonlat(order, pix):
    l, b = hp.pix2ang(2 ** order, pix, nest=True, lonlat=True)
    return np.transpose([l, b]).tolist()
def nullable(a): return [[None if np.isnan(v) else float(v) for v in row] for row in np.transpose(a)]
mlv = levels(dens, dens * area)
ra = np.concatenate([rng.uniform(0, 360, 3000), rng.uniform(270, 330, 3000)])
dec = np.concatenate([np.degrees(np.arcsin(rng.uniform(-1, 1, 3000))), rng.uniform(-75, -45, 3000)])
flat = lv[hp.ang2pix(nside, ra, dec, nest=True, lonlat=True)]
at = {(int(o), int(i)): v for o, i, v in zip(order, ipix, mlv)}
p6 = hp.ang2pix(64, ra, dec, nest=True, lonlat=True); p3 = p6 // 64
multi = [at.get((6, int(a)), at.get((3, int(c)))) for a, c in zip(p6, p3)]
def areas(density, mass, area, wanted):
    o = np.argsort(-density, kind="stable"); c = np.cumsum(mass[o]) / mass.sum()
    return [float(area[o][: np.searchsorted(c, w) + 1].sum() * (180 / np.pi) ** 2) for w in wanted]
bad = {}
bad["notNormal"] = b64(lambda p: hp.write_map(p, prob * 2, nest=True, dtype=np.float64, coord="C", column_names=["PROB"]))
bad["galactic"] = b64(lambda p: hp.write_map(p, prob, nest=True, dtype=np.float64, coord="G", column_names=["PROB"]))
bad["noColumn"] = b64(lambda p: hp.write_map(p, prob, nest=True, dtype=np.float64, coord="C", column_names=["TEMPERATURE"]))
neg = prob.copy(); neg[7] = -0.5
bad["negative"] = b64(lambda p: hp.write_map(p, neg, nest=True, dtype=np.float64, coord="C", column_names=["PROB"]))
ring = hp.reorder(prob, n2r=True); ring[20000] = -0.5
bad["negativeRing"] = b64(lambda p: hp.write_map(p, ring, nest=False, dtype=np.float64, coord="C", column_names=["PROB"]))
negative = dens[shuffled].copy(); negative[4] = -1
bad["negativeMulti"] = b64(lambda p: save_multi(p, dens=negative))
bad["twice"] = b64(lambda p: save_multi(p, np.append(uniq, uniq[5]), np.append(dens, dens[5])))
bad["badUniq"] = b64(lambda p: save_multi(p, np.where(np.arange(len(uniq)) == 3, 2, uniq), dens))
bad["wrongOrder"] = b64(lambda p: save_multi(p, ORDERING="SPIRAL"))
def wrong_size(p):
    hp.write_map(p, prob, nest=True, dtype=np.float64, coord="C", column_names=["PROB"])
    with fits.open(p, mode="update") as f: f[1].header["NSIDE"] = 32
bad["wrongSize"] = b64(wrong_size)
def odd_nside(p):
    hp.write_map(p, prob, nest=True, dtype=np.float64, coord="C", column_names=["PROB"])
    with fits.open(p, mode="update") as f: f[1].header["NSIDE"] = 63
bad["oddNside"] = b64(odd_nside)
print(json.dumps({"files": files, "positions": list(zip(ra.tolist(), dec.tolist())), "flat": flat.tolist(), "multi": [float(m) for m in multi],
  "flatAreas": areas(prob, prob, np.full(npix, 4*np.pi/npix), input), "multiAreas": areas(dens, dens*area, area, input), "bad": bad,
  "flatPlaces": lonlat(6, small), "flatDistances": nullable(flatDistances), "multiPlaces": lonlat(order[some], ipix[some]), "multiDistances": nullable(multiDistances)}))`,
      LEVELS,
    );
  }, 120_000);

  function expectLevels(map: ReadSkymap, levels: readonly number[]): void {
    for (const [n, [ra, dec]] of truth.positions.entries()) {
      expect(Math.abs(credibleLevel(map, nestedPixel(ra, dec))! - levels[n]!)).toBeLessThan(1e-9);
    }
  }

  it.each(["nested", "ring"])("reads a flat map in %s order", async (name) => {
    const map = await readSkymapFits(file(truth.files, name));
    expectLevels(map, truth.flat);
    for (const [n, level] of LEVELS.entries()) expect(credibleArea(map, level) / truth.flatAreas[n]!).toBeCloseTo(1, 9);
    expect(map.header).toEqual({ event: "S230518h", jd: 2460082.75, distanceMpc: 204.5, distanceErrorMpc: 57 });
  });

  it("reads a multi-order map whose rows are in no order", async () => {
    const map = await readSkymapFits(file(truth.files, "multi"));
    expectLevels(map, truth.multi);
    for (const [n, level] of LEVELS.entries())
      expect(credibleArea(map, level) / truth.multiAreas[n]!).toBeCloseTo(1, 9);
    expect(map.header).toMatchObject({ event: "S230518h", distanceMpc: null });
    expect(map.header.jd).toBeCloseTo(2460082.75, 8);
  });

  it.each(["nestedDistances", "ringDistances", "multiDistances"])(
    "reads how far away the source is: %s",
    async (name) => {
      const map = await readSkymapFits(file(truth.files, name));
      const [places, distances] =
        name === "multiDistances" ? [truth.multiPlaces, truth.multiDistances] : [truth.flatPlaces, truth.flatDistances];
      let known = 0;
      for (const [n, [ra, dec]] of places.entries()) {
        const cell = cellAt(map, nestedPixel(ra, dec))!;
        const [mean, sigma] = [map.distance!.mean[cell]!, map.distance!.sigma[cell]!];
        if (distances[n]![0] === null) expect([mean, sigma]).toEqual([Number.NaN, Number.NaN]);
        else {
          known++;
          expect(Math.abs(mean / distances[n]![0] - 1)).toBeLessThan(2e-7);
          expect(Math.abs(sigma / distances[n]![1]! - 1)).toBeLessThan(2e-6);
        }
      }
      expect(known).toBeGreaterThan(0.7 * places.length);
      expect(known).toBeLessThan(places.length);
    },
  );

  it.each([
    ["notNormal", "add up to 2, not to 1"],
    ["galactic", 'COORDSYS is "G"'],
    ["noColumn", "no column PROB"],
    ["negative", "value 8 is -0.5"],
    ["negativeRing", "value 20001 is -0.5"],
    ["negativeMulti", "value 5 is -1"],
    ["twice", "overlap or stand twice"],
    ["badUniq", "2 is no UNIQ number"],
    ["wrongOrder", 'ORDERING is "SPIRAL"'],
    ["wrongSize", "NSIDE 32 has 12288 pixels, and the sky map has 49152"],
    ["oddNside", "only powers of two"],
  ])("refuses a map that is %s", async (name, message) => {
    await expect(readSkymapFits(file(truth.bad, name))).rejects.toThrow(message);
  });

  it("refuses a file that was cut", async () => {
    const whole = file(truth.files, "multi");
    await expect(readSkymapFits(whole.subarray(0, whole.length - 5760))).rejects.toThrow("ends within its rows");
  });
});

/** DISTMU, mean and standard deviation for DISTSIGMA 1: mpmath's quadrature of r^n exp(-(r - DISTMU)^2 / 2), 50 digits. */
const MOMENTS: readonly (readonly [number, number, number])[] = [
  [-1000, 0.0029999880001079986, 0.0017320404153887375],
  [-40, 0.07481354663275387, 0.043140096546877636],
  [-12, 0.24345586105602268, 0.13877647871739016],
  [-5, 0.5276678373526695, 0.2884917098639209],
  [-2.5, 0.8421158747065975, 0.4307565052331167],
  [-2.0001, 0.9436785611174414, 0.4711892222837031],
  [-2, 0.9437007634487069, 0.4711977739430798],
  [-1.9, 0.9663118548850862, 0.4798425521219231],
  [-1, 1.2117257812521967, 0.5656808727511982],
  [-0.3, 1.4662786262220768, 0.6404243924287051],
  [0, 1.5957691216057306, 0.6734396116428515],
  [0.4, 1.7892479701030573, 0.7171407738535801],
  [1, 2.1257212688375335, 0.7791215284211315],
  [2.5, 3.1903222335532355, 0.8931123277499777],
  [4, 4.470589161455018, 0.9466726970294387],
  [7, 7.280000000000007, 0.9806120537704729],
  [11.9, 12.066888717481243, 0.993062142038795],
  [12.1, 12.264167966895055, 0.9932856986866284],
  [40, 40.049968769519054, 0.9993759759523582],
  [1000, 1000.001999998, 0.9999990000025],
  [9999, 9999.00020002, 0.999999989998],
  [20000, 20000.0001, 0.9999999975],
];

describe("distances along a line of sight", () => {
  it.each(MOMENTS)("for DISTMU %s in units of DISTSIGMA", (z, mean, sigma) => {
    for (const unit of [1, 40]) {
      const found = distanceMoments(z * unit, unit)!;
      expect(Math.abs(found.mean / (mean * unit) - 1)).toBeLessThan(1e-12);
      expect(Math.abs(found.sigma / (sigma * unit) - 1)).toBeLessThan(Math.max(1e-11, 1e-15 * z ** 2));
    }
  });

  it.each([
    [Number.POSITIVE_INFINITY, 1],
    [Number.NaN, 1],
    [100, 0],
    [100, -1],
    [100, Number.NaN],
    [100, Number.POSITIVE_INFINITY],
  ])("are not known for %s, %s", (mu, sigma) => {
    expect(distanceMoments(mu, sigma)).toBeNull();
  });

  it("keep cells apart that differ in nothing else", async () => {
    const faces = Array.from({ length: 12 }, (_, n) => BigInt(n) << 58n);
    const cells = {
      start: BigUint64Array.from(faces),
      end: BigUint64Array.from(faces, (start) => start + (1n << 58n)),
      density: new Float64Array(12).fill(1 / (4 * Math.PI)),
    };
    expect((await levelsOf(cells)).level.length).toBe(1);
    const mean = Float32Array.from([1, 1, 2, 2, 2, Number.NaN, Number.NaN, 3, 3, 3, 3, 3]);
    const sigma = Float32Array.from([1, 1, 1, 2, 2, Number.NaN, Number.NaN, 3, 3, 3, 3, 3]);
    const map = await levelsOf({ ...cells, distance: { mean, sigma } });
    expect(map.distance).toEqual({
      mean: Float32Array.of(1, 2, 2, Number.NaN, 3),
      sigma: Float32Array.of(1, 1, 2, Number.NaN, 3),
    });
    expect(map.start).toEqual(BigUint64Array.from([0, 2, 3, 5, 7], (n) => BigInt(n) << 58n));
  });
});
