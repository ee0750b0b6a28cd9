// Proper motion of stars: where a source is at another epoch. Called by ingest/catalogs.
const RADIANS = Math.PI / 180;
const MAS = RADIANS / 3_600_000;

/**
 * Position (degrees ICRS) after `years` of uniform motion along a straight line in space, without change of distance (radial
 * velocity 0): r + t mu, as ESA 1997 (The Hipparcos Catalogue, vol. 1, 1.5.5) has it without parallax. `pmRa` is mu_alpha
 * cos(dec), both in mas/yr.
 */
export function moved(
  ra: number,
  dec: number,
  pmRa: number,
  pmDec: number,
  years: number,
): { ra: number; dec: number } {
  const [sa, ca] = [Math.sin(ra * RADIANS), Math.cos(ra * RADIANS)];
  const [sd, cd] = [Math.sin(dec * RADIANS), Math.cos(dec * RADIANS)];
  const [east, north] = [pmRa * MAS * years, pmDec * MAS * years];
  const x = cd * ca - sa * east - sd * ca * north;
  const y = cd * sa + ca * east - sd * sa * north;
  const z = sd + cd * north;
  const turned = Math.atan2(y, x) / RADIANS;
  return { ra: turned < 0 ? turned + 360 : turned, dec: Math.atan2(z, Math.hypot(x, y)) / RADIANS };
}
