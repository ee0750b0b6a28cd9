// Times against astropy.Time and JavaScript's own calendar.
import { beforeAll, describe, expect, it } from "vitest";
import { python, pythonHas } from "../test/python.js";
import { epochMsFromJd, isoFromJd, jdFromEpochMs, jdFromIso, mjdFromJd, parseTime, utcJdFromTaiMjd } from "./time.js";

const refused = (code = "BAD_ARGUMENT") => expect.objectContaining({ code });

describe.skipIf(!pythonHas("astropy"))("times, against astropy", () => {
  const jds = [2440587.5, 2459905.5, 2460000.5, 2460229.987654321, 2451545, 2461000.123456789, 2415020.5];
  for (let k = 0; k < 500; k++) jds.push(2441317.5 + k * 37.7318);
  // From 1972-01-01 on, around every new second and between.
  const tai = [
    41317.5, 57753.9999, 57754.000428, 57754.000429, 57754.1, 60000.25, 61234.56789, 50630.0004, 41499.00012,
  ];
  let truth: { iso: string[]; jd: number[]; utc: string[] };
  beforeAll(() => {
    truth = python(
      `
from astropy.time import Time
import numpy as np, warnings
warnings.simplefilter("ignore")
t = Time(np.array(input["jds"]), format="jd", scale="utc", precision=3)
u = Time(np.array(input["tai"]), format="mjd", scale="tai", precision=9).utc
print(json.dumps({"iso": [s + "Z" for s in t.isot], "jd": Time([s.rstrip("Z") for s in t.isot], scale="utc").jd.tolist(), "utc": u.isot.tolist()}))`,
      { jds, tai },
    );
  });

  it("ISO text to the millisecond", () => {
    expect(jds.map(isoFromJd)).toEqual(truth.iso);
  });

  it("and back", () => {
    for (const [k, iso] of truth.iso.entries()) expect(Math.abs(jdFromIso(iso) - truth.jd[k]!)).toBeLessThan(1e-9);
    expect(truth.iso.map((iso) => isoFromJd(jdFromIso(iso)))).toEqual(truth.iso);
  });

  it("TAI to UTC, leap seconds counted, to 50 microseconds", () => {
    // By the text: astropy stretches the JD over a day with a leap second.
    for (const [k, mjd] of tai.entries()) {
      expect(Math.abs(utcJdFromTaiMjd(mjd) - jdFromIso(`${truth.utc[k]}Z`))).toBeLessThan(6e-10);
    }
    expect(utcJdFromTaiMjd(60000.5)).toBeCloseTo(2460001 - 37 / 86_400, 9);
  });
});

describe("times", () => {
  it("agree with JavaScript's calendar over its whole range", () => {
    for (let ms = -8.64e15; ms <= 8.64e15; ms += 8.64e15 / 997 + 0.4321e9) {
      const whole = Math.round(ms / 1000) * 1000;
      const day = Math.floor(whole / 86_400_000) * 86_400_000;
      expect(isoFromJd(jdFromEpochMs(day))).toBe(new Date(day).toISOString());
    }
    for (let day = -800_000; day < 200_000; day += 13) {
      expect(isoFromJd(2_440_587.5 + day)).toBe(new Date(day * 86_400_000).toISOString());
    }
  });

  it("come back to the millisecond", () => {
    for (let k = 0; k < 20_000; k++) {
      const ms = 1_500_000_000_000 + k * 23_456_789;
      expect(epochMsFromJd(jdFromEpochMs(ms))).toBe(ms);
      expect(isoFromJd(jdFromIso(new Date(ms).toISOString()))).toBe(new Date(ms).toISOString());
    }
  });

  it("write years beyond four digits in the expanded form", () => {
    expect(isoFromJd(1.48e9)).toBe("+4047390-04-08T12:00:00.000Z");
    expect(jdFromIso(isoFromJd(1.48e9))).toBe(1.48e9);
    expect(isoFromJd(0)).toBe("-004713-11-24T12:00:00.000Z");
    expect(isoFromJd(-1e9)).toMatch(/^-\d{7}-\d\d-\d\dT12:00:00\.000Z$/);
    expect(isoFromJd(2440587.5 - 1e-10)).toBe("1970-01-01T00:00:00.000Z");
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, 1e13]) expect(() => isoFromJd(bad)).toThrow(refused());
  });

  it("read ISO 8601 with zones, without seconds, and alone", () => {
    const jd = jdFromIso("2023-10-12T03:04:05.678Z");
    for (const same of ["2023-10-12 03:04:05.678", "2023-10-12T05:04:05.678+02:00", "2023-10-11T22:34:05.678-0430"]) {
      expect(jdFromIso(same)).toBe(jd);
    }
    expect(jdFromIso("2023-10-12")).toBe(jdFromIso("2023-10-12T00:00Z"));
    expect(jdFromIso("2016-12-31T23:59:60Z")).toBe(jdFromIso("2017-01-01T00:00:00Z"));
    expect(jdFromIso("+002023-10-12")).toBe(jdFromIso("2023-10-12"));
  });

  it.each([
    "",
    "yesterday",
    "2023-02-29",
    "2023-13-01",
    "2023-10-12T24:00:00",
    "2023-10-12T10:60:00",
    "2023-10-12T10:00:60",
    "2023-10-12T10:00:00+25:00",
    "12/10/2023",
    "9".repeat(70),
  ])("refuse %j", (text) => expect(() => jdFromIso(text)).toThrow(refused()));

  it("are read as people write them", () => {
    expect(parseTime("JD 2460000.5")).toBe(2460000.5);
    expect(parseTime("mjd 60000.5")).toBe(2460001);
    expect(parseTime("MJD60000")).toBe(2460000.5);
    expect(parseTime("2460000.5")).toBe(2460000.5);
    expect(parseTime(2460000.5)).toBe(2460000.5);
    expect(parseTime(60000)).toBe(2460000.5);
    expect(parseTime(" 2023-02-25T00:00:00Z ")).toBe(2460000.5);
    expect(mjdFromJd(2460000.5)).toBe(60000);
    for (const bad of [5, 1_000_000, 20231012, "20231012", Number.NaN, "MJD 1e5", "JD 99999999"]) {
      expect(() => parseTime(bad)).toThrow(refused());
    }
  });
});
