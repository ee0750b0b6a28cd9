// Movers among detections that do not belong together: how many are found, and how many candidates are none.
import { describe, expect, it } from "vitest";
import { createRandom, type Random } from "../ingest/simulator/random.js";
import { linkTracklets, type MovingDetection, type TrackletLimits } from "./tracklets.js";

const LIMITS: TrackletLimits = { minRate: 0.05, maxRate: 10, minDetections: 3 };
const RADIANS = Math.PI / 180;

/** Along a great circle from a place, so many degrees in a direction (from north by east). */
function moved(ra: number, dec: number, angle: number, degrees: number): { ra: number; dec: number } {
  const [d, a, s] = [dec * RADIANS, angle * RADIANS, degrees * RADIANS];
  const z = Math.sin(d) * Math.cos(s) + Math.cos(d) * Math.sin(s) * Math.cos(a);
  const turn = Math.atan2(Math.sin(a) * Math.sin(s) * Math.cos(d), Math.cos(s) - Math.sin(d) * z);
  return { ra: (((ra + turn / RADIANS) % 360) + 360) % 360, dec: Math.asin(z) / RADIANS };
}

const gauss = (random: Random) =>
  Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());

interface Sky {
  readonly detections: MovingDetection[];
  /** Of each detection the number of its mover; -1: of none. */
  readonly of: number[];
}

/**
 * A field that is seen at some times of a night: movers of all rates (evenly in their logarithm) with 0.2 arcsec of
 * scatter and 0.1 mag, each seen in nine exposures of ten; and detections of nothing, anew in every exposure.
 */
function simulated(
  seed: string,
  {
    size,
    movers,
    noise,
    times,
    dec = 10,
  }: { size: number; movers: number; noise: number; times: readonly number[]; dec?: number },
): Sky {
  const random = createRandom(seed);
  const [detections, of]: [MovingDetection[], number[]] = [[], []];
  const place = () => ({
    ra: 180 + ((random.uniform() - 0.5) * size) / Math.cos(dec * RADIANS),
    dec: dec + (random.uniform() - 0.5) * size,
  });
  for (let n = 0; n < movers; n++) {
    const { ra, dec } = place();
    const rate = 0.05 * 200 ** random.uniform();
    const [angle, magnitude] = [360 * random.uniform(), 18 + 3 * random.uniform()];
    for (const [k, hours] of times.entries()) {
      if (random.uniform() < 0.1) continue;
      const at = moved(ra, dec, angle, (rate * hours) / 24);
      const off = moved(at.ra, at.dec, 360 * random.uniform(), (0.2 * Math.abs(gauss(random))) / 3600);
      detections.push({
        ...off,
        jd: 2460000.5 + hours / 24,
        band: "gr"[k % 2]!,
        magnitude: magnitude + 0.5 * (k % 2) + 0.1 * gauss(random),
      });
      of.push(n);
    }
  }
  for (const [k, hours] of times.entries()) {
    for (let n = 0; n < noise; n++) {
      detections.push({
        ...place(),
        jd: 2460000.5 + hours / 24,
        band: "gr"[k % 2]!,
        magnitude: 18 + 3 * random.uniform(),
      });
      of.push(-1);
    }
  }
  return { detections, of };
}

async function judged({ detections, of }: Sky, limits: TrackletLimits) {
  const tracklets = (await linkTracklets(detections, limits))!;
  const seen = new Map<number, number>();
  for (const n of of) seen.set(n, (seen.get(n) ?? 0) + 1);
  const could = [...seen].filter(([n, count]) => n >= 0 && count >= limits.minDetections).length;
  const isTrue = tracklets.filter(
    ({ members }) => of[members[0]!]! >= 0 && members.every((n) => of[n] === of[members[0]!]),
  );
  return {
    could,
    found: new Set(isTrue.map(({ members }) => of[members[0]!])).size,
    falses: tracklets.length - isTrue.length,
  };
}

describe("movers", () => {
  it.each([10, 75, -89.9])("are found with their rates and directions (declination %d)", async (dec) => {
    const times = [0, 0.5, 1.2, 2.5];
    const detections = times.map((hours, k) => ({
      ...moved(359.9, dec, 250, (0.3 * hours) / 24),
      jd: 2460000.5 + hours / 24,
      band: "r",
      magnitude: 19 + 0.1 * k,
    }));
    const [tracklet, ...others] = (await linkTracklets(detections, LIMITS))!;
    expect(others).toEqual([]);
    expect(tracklet!.members).toEqual([0, 1, 2, 3]);
    expect(tracklet!.rate).toBeCloseTo(0.3, 6);
    expect(tracklet!.positionAngle).toBeCloseTo(250, 4);
    expect(tracklet!.rmsArcsec).toBeLessThan(1e-3);
  });

  it("are not what stays, what is too fast or too slow, or changes its brightness too much", async () => {
    const at = (hours: number, degrees: number, magnitude = 19) => ({
      ra: 10 + degrees,
      dec: 0,
      jd: 2460000.5 + hours / 24,
      band: "r",
      magnitude,
    });
    const line = (rate: number) => [0, 1, 2].map((hours) => at(hours, (rate * hours) / 24));
    expect(await linkTracklets(line(0.3), LIMITS)).toHaveLength(1);
    expect(await linkTracklets(line(0.00001), LIMITS)).toEqual([]);
    expect(await linkTracklets(line(11), LIMITS)).toEqual([]);
    expect(await linkTracklets(line(0.3), { ...LIMITS, minRate: 0.4 })).toEqual([]);
    expect(await linkTracklets([at(0, 0), at(1, 0.0125), at(2, 0.025, 21)], LIMITS)).toEqual([]);
    // Not at a constant rate; and twice in one exposure.
    expect(await linkTracklets([at(0, 0), at(1, 0.0125), at(2, 0.03)], LIMITS)).toEqual([]);
    expect(await linkTracklets([at(0, 0), at(1, 0.0125), at(1, 0.0126)], LIMITS)).toEqual([]);
    expect(await linkTracklets([], LIMITS)).toEqual([]);
  });

  it("are found as often, and wrongly as seldom, as the manual says", { timeout: 120_000 }, async () => {
    // A field of 47 square degrees seen four times, 200 unexplained detections in each exposure.
    const field = { size: Math.sqrt(47), noise: 200, movers: 100, times: [0, 0.6, 1.4, 2.3] };
    const quiet = simulated("movers", field);
    expect(await judged(quiet, LIMITS)).toEqual({ could: 98, found: 98, falses: 0 });
    expect(await judged(quiet, { ...LIMITS, minDetections: 2 })).toEqual({ could: 100, found: 98, falses: 215 });
    const crowded = await judged(simulated("movers", { ...field, noise: 1000 }), LIMITS);
    expect(crowded).toEqual({ could: 98, found: 98, falses: 1 });
  });

  it("are given up in a crowd that would take too long", { timeout: 120_000 }, async () => {
    const crowd = simulated("crowd", { size: 2, noise: 2000, movers: 0, times: [0, 1, 2, 3] });
    expect(await linkTracklets(crowd.detections, LIMITS)).toBeNull();
  });
});
