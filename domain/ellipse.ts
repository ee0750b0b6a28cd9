// Ellipses on the sky: how galaxies extend. Called by ingest/crossmatch.
import { separationArcsec } from "./sky.js";

const RADIANS = Math.PI / 180;

export interface Ellipse {
  readonly semiMajorArcsec: number;
  /** Minor over major axis, above 0 to 1. */
  readonly axisRatio: number;
  /** Of the major axis, degrees from north through east, ICRS. */
  readonly angleDeg: number;
}

/** Direction in which the second position lies from the first: degrees from north through east, -180 to 180. */
export function positionAngleDeg(ra1: number, dec1: number, ra2: number, dec2: number): number {
  const turn = (ra2 - ra1) * RADIANS;
  const [d1, d2] = [dec1 * RADIANS, dec2 * RADIANS];
  const east = Math.cos(d2) * Math.sin(turn);
  const north = Math.cos(d1) * Math.sin(d2) - Math.sin(d1) * Math.cos(d2) * Math.cos(turn);
  return Math.atan2(east, north) / RADIANS;
}

/**
 * Whether a position lies in the ellipse around a centre, its border included (degrees ICRS). Measured along great circles
 * from the centre, so that nothing changes at the poles.
 */
export function isInEllipse(
  { semiMajorArcsec, axisRatio, angleDeg }: Ellipse,
  centreRa: number,
  centreDec: number,
  ra: number,
  dec: number,
): boolean {
  const separation = separationArcsec(centreRa, centreDec, ra, dec);
  if (!(separation <= semiMajorArcsec)) return false;
  const angle = (positionAngleDeg(centreRa, centreDec, ra, dec) - angleDeg) * RADIANS;
  const along = separation * Math.cos(angle);
  const across = (separation * Math.sin(angle)) / axisRatio;
  return Math.hypot(along, across) <= semiMajorArcsec;
}

/** A galaxy that is wider than any radius in which one would search. */
export interface Giant {
  readonly name: string;
  /** Of the centre, degrees ICRS. */
  readonly ra: number;
  readonly dec: number;
  readonly ellipse: Ellipse;
}

/** From the logarithms of RC3: diameter in 0.1 arcmin, major over minor axis. */
const rc3 = (logD25: number, logR25: number, angleDeg: number): Ellipse => ({
  semiMajorArcsec: 3 * 10 ** logD25,
  axisRatio: 10 ** -logR25,
  angleDeg,
});

/**
 * Isophotes of 25 mag/arcsec2 in B: diameters of 190.5' and 70.8'. De Vaucouleurs et al. 1991, Third Reference Catalogue of
 * Bright Galaxies.
 */
export const GIANTS: readonly Giant[] = [
  { name: "M31", ra: 10.6847, dec: 41.26901, ellipse: rc3(3.28, 0.49, 35) },
  { name: "M33", ra: 23.46204, dec: 30.66022, ellipse: rc3(2.85, 0.23, 23) },
];
