// Positions on the sky: separations and changes of frame. Called by ingest/, stores/ and resolvers/.
const RADIANS = Math.PI / 180;
const MAS = RADIANS / 3_600_000;

/** Right ascension (degrees) in [0, 360). */
export function normaliseRa(raDeg: number): number {
  const turned = raDeg % 360;
  const positive = turned < 0 ? turned + 360 : turned;
  // A tiny negative angle rounds up to a full turn; the sum also makes -0 a plain 0.
  return positive >= 360 ? 0 : positive + 0;
}

/** Great-circle separation in arcsec of two positions in degrees. Vincenty's form, exact at 0 and at 180 degrees. */
export function separationArcsec(ra1: number, dec1: number, ra2: number, dec2: number): number {
  const turn = (ra2 - ra1) * RADIANS;
  const s1 = Math.sin(dec1 * RADIANS);
  const c1 = Math.cos(dec1 * RADIANS);
  const s2 = Math.sin(dec2 * RADIANS);
  const c2 = Math.cos(dec2 * RADIANS);
  const ct = Math.cos(turn);
  const across = Math.hypot(c2 * Math.sin(turn), c1 * s2 - s1 * c2 * ct);
  return (Math.atan2(across, s1 * s2 + c1 * c2 * ct) / RADIANS) * 3600;
}

type Matrix = readonly [Vector, Vector, Vector];
type Vector = readonly [number, number, number];

function rotated(m: Matrix, raDeg: number, decDeg: number): [number, number] {
  const c = Math.cos(decDeg * RADIANS);
  const v: Vector = [c * Math.cos(raDeg * RADIANS), c * Math.sin(raDeg * RADIANS), Math.sin(decDeg * RADIANS)];
  const dot = (row: Vector) => row[0] * v[0] + row[1] * v[1] + row[2] * v[2];
  const [x, y, z] = [dot(m[0]), dot(m[1]), dot(m[2])];
  return [normaliseRa(Math.atan2(y, x) / RADIANS), Math.atan2(z, Math.hypot(x, y)) / RADIANS];
}

/** Axes of a frame that is turned against ICRS by these small angles (mas); second order is below 1e-13. */
function bias(alpha: number, xi: number, eta: number): Matrix {
  const [a, x, e] = [alpha * MAS, xi * MAS, eta * MAS];
  return [
    [1, a, -x],
    [-a, 1, -e],
    [x, e, 1],
  ];
}

function product(m: Matrix, n: Matrix): Matrix {
  const row = (r: Vector): Vector => [
    r[0] * n[0][0] + r[1] * n[1][0] + r[2] * n[2][0],
    r[0] * n[0][1] + r[1] * n[1][1] + r[2] * n[2][1],
    r[0] * n[0][2] + r[1] * n[1][2] + r[2] * n[2][2],
  ];
  return [row(m[0]), row(m[1]), row(m[2])];
}

/**
 * IAU 1958 galactic system by way of FK5 J2000, as astropy has it: pole and longitude of the celestial pole in FK5 after
 * Liu, Zhu and Zhang 2011 (A&A 526, A16), FK5 against ICRS after USNO Circular 179. The rounded pole of the Hipparcos
 * catalogue lies 25 mas away.
 */
function galacticAxes(): Matrix {
  const [a, d, l] = [192.8594812065348 * RADIANS, 27.12825118085622 * RADIANS, 122.9319185680026 * RADIANS];
  const [sa, ca, sd, cd, sl, cl] = [Math.sin(a), Math.cos(a), Math.sin(d), Math.cos(d), Math.sin(l), Math.cos(l)];
  const axes: Matrix = [
    [-cl * sd * ca - sl * sa, -cl * sd * sa + sl * ca, cl * cd],
    [-sl * sd * ca + cl * sa, -sl * sd * sa - cl * ca, sl * cd],
    [cd * ca, cd * sa, sd],
  ];
  return product(axes, bias(-22.9, 9.1, -19.9));
}

/** Mean ecliptic and equinox of J2000: frame bias, then obliquity 84381.406 arcsec (IERS Conventions 2010, chapter 5). */
function eclipticAxes(): Matrix {
  const obliquity = (84381.406 / 3600) * RADIANS;
  const [s, c] = [Math.sin(obliquity), Math.cos(obliquity)];
  const axes: Matrix = [
    [1, 0, 0],
    [0, c, s],
    [0, -s, c],
  ];
  return product(axes, bias(-14.6, -16.617, -6.8192));
}

const GALACTIC = galacticAxes();
const ECLIPTIC = eclipticAxes();

/** Galactic [l, b] in degrees, l in [0, 360), of an ICRS position in degrees. */
export function galacticFromIcrs(raDeg: number, decDeg: number): [number, number] {
  return rotated(GALACTIC, raDeg, decDeg);
}

/** Barycentric mean ecliptic J2000 [longitude, latitude] in degrees, longitude in [0, 360), of an ICRS position. */
export function eclipticFromIcrs(raDeg: number, decDeg: number): [number, number] {
  return rotated(ECLIPTIC, raDeg, decDeg);
}
