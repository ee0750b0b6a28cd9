// Positions as typed, against astropy's SkyCoord.
import { beforeAll, describe, expect, it } from "vitest";
import { python, pythonHas } from "../test/python.js";
import { parsePosition } from "./angles.js";

const HOURS = [
  "10:45:03.6 +41:16:08",
  "10:45:03.6+41:16:08",
  "10h45m03.6s +41d16m08s",
  "10h45m03.6s, +41d16m08.25s",
  "10 45 03.6 +41 16 08",
  "10 45 03.6 41 16 08",
  "00:00:00 -00:30:00",
  "00 00 00 -00 30 00",
  "23:59:59.9999 -89:59:59.99",
  "5h34m31.94s -00d00m00.5s",
];
const DEGREES = [
  "161.265 41.27",
  "161.265, +41.27",
  "161.265,-41.27",
  "0 -0.5",
  "161.265d -41.27d",
  "359.9999999 -90",
  "161.265-0.25",
];

describe.skipIf(!pythonHas("astropy"))("positions, against astropy", () => {
  let truth: [number, number][];
  beforeAll(() => {
    truth = python(
      `
from astropy.coordinates import SkyCoord
import re
def plain(t): return re.sub(r"(?<=\\d)([+-])", r" \\1", t.replace(",", " "))
cs = [SkyCoord(plain(t), unit=("hourangle", "deg")) for t in input["hours"]] + [SkyCoord(plain(t), unit="deg") for t in input["degrees"]]
print(json.dumps([[c.ra.deg, c.dec.deg] for c in cs]))`,
      { hours: HOURS, degrees: DEGREES },
    );
  });
  it.each([...HOURS, ...DEGREES].map((text, k) => [text, k] as const))("%s", (text, k) => {
    const [ra, dec] = truth[k]!;
    const ours = parsePosition(text);
    expect(Math.abs(ours.ra - ra)).toBeLessThan(1e-12 * 360);
    expect(Math.abs(ours.dec - dec)).toBeLessThan(1e-12 * 90);
  });
});

describe("positions", () => {
  it("keep the sign of zero degrees", () => {
    expect(parsePosition("00 00 00 -00 30 00")).toEqual({ ra: 0, dec: -0.5 });
    expect(parsePosition("0h0m0s −0°30′0″")).toEqual({ ra: 0, dec: -0.5 });
  });

  it("read right ascension in degrees where it says d, and 360 as 0", () => {
    expect(parsePosition("161d15m54s +41d16m12s").ra).toBeCloseTo(161.265, 12);
    expect(parsePosition("360 10")).toEqual({ ra: 0, dec: 10 });
  });

  it.each([
    "",
    "12",
    "nonsense",
    "400 10",
    "-1 10",
    "10 91",
    "24:00:01 00:00:00",
    "10:60:00 +10:00:00",
    "10:00:00 +10:00:60",
    "10:00:00 +91:00:00",
    "1 2 3",
    "1 2 3 4 5",
    "1e5 2",
    `1 ${"0".repeat(500)}`,
  ])("refuse %j and say what was found", (text) => {
    expect(() => parsePosition(text)).toThrow(
      expect.objectContaining({ code: "BAD_ARGUMENT", message: expect.stringContaining("found") }),
    );
  });
});
