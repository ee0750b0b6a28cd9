// Sky maps against healpy and plain numpy: flat in both orders, multi-order, levels and areas; files that are no maps.
import { beforeAll, describe, expect, it } from "vitest";
import { python, pythonHas } from "../test/python.js";
import { nestedPixel } from "./healpix.js";
import { type ReadSkymap, readSkymapFits } from "./skymap.fits.js";
import { credibleArea, credibleLevel } from "./skymap.js";

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
  "flatAreas": areas(prob, prob, np.full(npix, 4*np.pi/npix), input), "multiAreas": areas(dens, dens*area, area, input), "bad": bad}))`,
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

  it.each([
    ["notNormal", "add up to 2, not to 1"],
    ["galactic", 'COORDSYS is "G"'],
    ["noColumn", "no column PROB"],
    ["negative", "row 8 has the probability"],
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
