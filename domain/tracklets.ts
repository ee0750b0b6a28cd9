// Candidates of moving objects: detections without a name that lie on one path at one rate within a night. Called by
// resolvers/solarsystem. Positions are laid out on a plane about the first detection in which great circles through it are
// straight and arcs along them keep their lengths (the azimuthal equidistant projection): motion at a constant rate along
// a great circle is a straight line at a constant rate there, however far.

export interface MovingDetection {
  readonly jd: number;
  /** Degrees, ICRS. */
  readonly ra: number;
  readonly dec: number;
  readonly band: string;
  readonly magnitude: number | null;
}

export interface TrackletLimits {
  /** Degrees a day. */
  readonly minRate: number;
  readonly maxRate: number;
  readonly minDetections: number;
}

export interface Tracklet {
  /** Numbers of its detections, by time. */
  readonly members: readonly number[];
  /** Degrees a day, by least squares. */
  readonly rate: number;
  /** Direction of motion at the first detection, degrees from north by east, 0 to 360. */
  readonly positionAngle: number;
  /** Of the detections about the line, arcsec; 0 of two. */
  readonly rmsArcsec: number;
}

/** How far a detection may lie from the line: astrometry of faint sources, and what the Earth's turning bends. */
const TOLERANCE_ARCSEC = 1.5;
/** From the first to the last: less is the scatter of something that stays. */
const MIN_PATH_ARCSEC = 3;
/** Detections of one exposure, or of two at once. */
const SAME_TIME_DAYS = 30 / 86_400;
/** Of one band within a night, from the first detection: rotation, and errors of faint sources. */
const SAME_BAND_MAG = 1;
/** Colours of asteroids between any two bands, and the same. */
const OTHER_BAND_MAG = 2;
/** Pairs that a search may look at, and ends of lines that it may try: some seconds. */
const MOST_PAIRS = 50_000_000;
const MOST_TRIES = 2_000_000;

const RADIANS = Math.PI / 180;
const ARCSEC = 3600 / RADIANS;

/**
 * Tracklets of which no two share a detection: those of more detections first, then those nearer to their lines; in the
 * order of their first detections. Null where too many detections are within reach of one another at these rates.
 * `breathe` is called again and again, so that others come in between.
 */
export async function linkTracklets(
  detections: readonly MovingDetection[],
  limits: TrackletLimits,
  breathe: () => Promise<void> | undefined = () => undefined,
): Promise<Tracklet[] | null> {
  const sky = new Sky(detections, limits);
  const found: Tracklet[] = [];
  let [pairs, tries] = [0, 0];
  for (const first of sky.order) {
    await breathe();
    const later = sky.later(first);
    pairs += later.length;
    const reached = sky.seenFrom(first, later);
    const images = new Map<number, Seen[]>();
    for (const seen of reached) {
      const there = images.get(seen.days);
      if (there === undefined) images.set(seen.days, [seen]);
      else there.push(seen);
    }
    tries += reached.length * images.size;
    if (pairs > MOST_PAIRS || tries > MOST_TRIES) return null;
    const best = bestLine(first, reached, [...images.values()], limits);
    if (best !== null) found.push(best);
  }
  found.sort((a, b) => b.members.length - a.members.length || a.rmsArcsec - b.rmsArcsec);
  const taken = new Set<number>();
  const kept = found.filter(({ members }) => {
    if (members.some((n) => taken.has(n))) return false;
    for (const n of members) taken.add(n);
    return true;
  });
  return kept.sort((a, b) => detections[a.members[0]!]!.jd - detections[b.members[0]!]!.jd);
}

/** A later detection on the plane about the first: arcsec to the east and to the north, days. */
interface Seen {
  readonly n: number;
  readonly x: number;
  readonly y: number;
  readonly days: number;
}

/** Detections in zones of declination as high as a body gets, in each by time. */
class Sky {
  readonly order: readonly number[];
  readonly #zones = new Map<number, number[]>();
  readonly #height: number;
  /** Unit vectors, three numbers each. */
  readonly #vectors: Float64Array;

  constructor(
    private readonly detections: readonly MovingDetection[],
    private readonly limits: TrackletLimits,
  ) {
    this.order = detections.map((_, n) => n).sort((a, b) => detections[a]!.jd - detections[b]!.jd);
    const night = this.order.length === 0 ? 0 : detections[this.order.at(-1)!]!.jd - detections[this.order[0]!]!.jd;
    this.#height = limits.maxRate * night + 0.01;
    this.#vectors = new Float64Array(3 * detections.length);
    for (const n of this.order) {
      const { ra, dec } = detections[n]!;
      this.#vectors.set([...frame(ra, dec).out], 3 * n);
      const zone = this.#zoneOf(dec);
      const there = this.#zones.get(zone);
      if (there === undefined) this.#zones.set(zone, [n]);
      else there.push(n);
    }
  }

  #zoneOf(dec: number): number {
    return Math.floor((dec + 90) / this.#height);
  }

  /** In the zones that can be reached. */
  later(first: number): number[] {
    const { dec, jd } = this.detections[first]!;
    const zone = this.#zoneOf(dec);
    return [zone - 1, zone, zone + 1].flatMap((one) => {
      const there = this.#zones.get(one) ?? [];
      return there.slice(after(there, (n) => this.detections[n]!.jd <= jd + SAME_TIME_DAYS));
    });
  }

  /** Those at whose place and time the same body may have been, as bright as it may be: by time. */
  seenFrom(first: number, later: readonly number[]): Seen[] {
    const from = this.detections[first]!;
    const { out, east, north } = frame(from.ra, from.dec);
    const { minRate, maxRate } = this.limits;
    const seen: Seen[] = [];
    for (const n of later) {
      const days = this.detections[n]!.jd - from.jd;
      const most = (maxRate * 3600 * days + TOLERANCE_ARCSEC) / ARCSEC;
      const [a, b, c] = [this.#vectors[3 * n]!, this.#vectors[3 * n + 1]!, this.#vectors[3 * n + 2]!];
      const chord = (a - out[0]) ** 2 + (b - out[1]) ** 2 + (c - out[2]) ** 2;
      if (chord > most * most || !alike(from, this.detections[n]!)) continue;
      const dx = a * east[0] + b * east[1] + c * east[2];
      const dy = a * north[0] + b * north[1] + c * north[2];
      const across = Math.hypot(dx, dy);
      const arcsec = 2 * Math.asin(Math.sqrt(chord) / 2) * ARCSEC;
      if (arcsec < minRate * 3600 * days - TOLERANCE_ARCSEC) continue;
      const scale = across === 0 ? 0 : arcsec / across;
      seen.push({ n, x: dx * scale, y: dy * scale, days });
    }
    return seen.sort((a, b) => a.days - b.days || a.x - b.x);
  }
}

type Vector = readonly [number, number, number];

/** Unit vectors to a place, and from there to the east and to the north. */
function frame(ra: number, dec: number): { out: Vector; east: Vector; north: Vector } {
  const [a, d] = [ra * RADIANS, dec * RADIANS];
  const [ca, sa, cd, sd] = [Math.cos(a), Math.sin(a), Math.cos(d), Math.sin(d)];
  return { out: [cd * ca, cd * sa, sd], east: [-sa, ca, 0], north: [-sd * ca, -sd * sa, cd] };
}

/** How many at the beginning of a list hold. */
function after<T>(list: readonly T[], holds: (item: T) => boolean): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function alike(a: MovingDetection, b: MovingDetection): boolean {
  if (a.magnitude === null || b.magnitude === null) return true;
  return Math.abs(a.magnitude - b.magnitude) <= (a.band === b.band ? SAME_BAND_MAG : OTHER_BAND_MAG);
}

/**
 * The line from the first detection through one of the others on which most lie; of as many those nearest to it. `images`:
 * the others that were seen at the same time, by x, and by time.
 */
function bestLine(
  first: number,
  reached: readonly Seen[],
  images: readonly (readonly Seen[])[],
  limits: TrackletLimits,
): Tracklet | null {
  let best: Tracklet | null = null;
  for (const end of reached) {
    if (Math.hypot(end.x, end.y) < MIN_PATH_ARCSEC) continue;
    const on = onLine(end, images);
    if (on.length + 1 < Math.max(limits.minDetections, best?.members.length ?? 0)) continue;
    const line = fitted(first, on);
    const isWithin = line.rate >= limits.minRate && line.rate <= limits.maxRate && line.rmsArcsec <= TOLERANCE_ARCSEC;
    if (!isWithin) continue;
    const isBetter = best === null || line.members.length > best.members.length || line.rmsArcsec < best.rmsArcsec;
    if (isBetter) best = line;
  }
  return best;
}

/** Up to and with the end, one for each time: the nearest to the line. */
function onLine(end: Seen, images: readonly (readonly Seen[])[]): Seen[] {
  const on: Seen[] = [];
  let lastOff = 0;
  for (const image of images) {
    const { days } = image[0]!;
    if (days > end.days) break;
    const part = days / end.days;
    const [x, y] = [end.x * part, end.y * part];
    for (let at = after(image, (seen) => seen.x < x - TOLERANCE_ARCSEC); at < image.length; at++) {
      const seen = image[at]!;
      if (seen.x > x + TOLERANCE_ARCSEC) break;
      const off = Math.hypot(seen.x - x, seen.y - y);
      if (off > TOLERANCE_ARCSEC) continue;
      const isNew = on.length === 0 || days - on.at(-1)!.days >= SAME_TIME_DAYS;
      if (!isNew && off >= lastOff) continue;
      if (isNew) on.push(seen);
      else on[on.length - 1] = seen;
      lastOff = off;
    }
  }
  return on;
}

/** By least squares through the first detection, which is at the origin, and the others. */
function fitted(first: number, others: readonly Seen[]): Tracklet {
  const points = [{ n: first, x: 0, y: 0, days: 0 }, ...others];
  const mean = (of: (seen: Seen) => number) => points.reduce((sum, seen) => sum + of(seen), 0) / points.length;
  const [t, x, y] = [mean(({ days }) => days), mean((seen) => seen.x), mean((seen) => seen.y)];
  const spread = mean(({ days }) => (days - t) ** 2);
  const [vx, vy] = [
    mean((seen) => (seen.x - x) * (seen.days - t)) / spread,
    mean((seen) => (seen.y - y) * (seen.days - t)) / spread,
  ];
  const square = mean((seen) => {
    return (seen.x - x - vx * (seen.days - t)) ** 2 + (seen.y - y - vy * (seen.days - t)) ** 2;
  });
  const angle = Math.atan2(vx, vy) / RADIANS;
  return {
    members: points.map(({ n }) => n),
    rate: Math.hypot(vx, vy) / 3600,
    positionAngle: angle < 0 ? angle + 360 : angle,
    rmsArcsec: points.length === 2 ? 0 : Math.sqrt(square),
  };
}
