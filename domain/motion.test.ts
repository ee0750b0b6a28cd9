import { describe, expect, it } from "vitest";
import { python, pythonHas } from "../test/python.js";
import { moved } from "./motion.js";
import { separationArcsec } from "./sky.js";

const TRUTH = `
import numpy as np, warnings
from astropy.coordinates import SkyCoord
from astropy.time import Time
import astropy.units as u
warnings.simplefilter('ignore')
rng = np.random.default_rng(2)
ra = np.append(rng.uniform(0, 360, 300), [269.452, 0, 359.99999, 10, 200])
dec = np.append(np.degrees(np.arcsin(rng.uniform(-1, 1, 300))), [4.6934, 0, 89.9999, -89.99, 89.9])
pmra = np.append(rng.normal(0, 300, 300), [-802.8, 5, 900, -10000, 3000])
pmdec = np.append(rng.normal(0, 300, 300), [10362.5, 5, 900, 7000, 4000])
c = SkyCoord(ra * u.deg, dec * u.deg, pm_ra_cosdec=pmra * u.mas / u.yr, pm_dec=pmdec * u.mas / u.yr, distance=10 * u.pc,
  radial_velocity=0 * u.km / u.s, obstime=Time(2000.0, format='jyear', scale='tcb'))
out = {}
for epoch in [2016.0, 2025.5, 1991.25]:
  m = c.apply_space_motion(Time(epoch, format='jyear', scale='tcb'))
  out[str(epoch)] = [list(m.ra.deg), list(m.dec.deg)]
print(json.dumps({'ra': list(ra), 'dec': list(dec), 'pmra': list(pmra), 'pmdec': list(pmdec), 'moved': out}))`;

const has = pythonHas("astropy", "numpy");
describe.skipIf(!has)("a source that moves", () => {
  it("is where astropy's space motion brings it", () => {
    type Numbers = number[];
    const truth = python<{
      ra: Numbers;
      dec: Numbers;
      pmra: Numbers;
      pmdec: Numbers;
      moved: Record<string, Numbers[]>;
    }>(TRUTH);
    for (const [epoch, [ra, dec]] of Object.entries(truth.moved)) {
      for (let n = 0; n < truth.ra.length; n++) {
        const own = moved(truth.ra[n]!, truth.dec[n]!, truth.pmra[n]!, truth.pmdec[n]!, Number(epoch) - 2000);
        // ERFA takes the speed of light into account: that is below 0.1 mas.
        expect(separationArcsec(own.ra, own.dec, ra![n]!, dec![n]!)).toBeLessThan(1e-4);
      }
    }
  });
});
