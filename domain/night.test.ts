// Nights: every time belongs to one, which says so of itself.
import fc from "fast-check";
import { expect, test } from "vitest";
import { nightNamed, nightOf } from "./night.js";
import { jdFromIso } from "./time.js";

test("a night is the UTC date of ZTF's times, and day_obs of Rubin's", () => {
  expect(nightOf(jdFromIso("2023-10-12T03:04:05Z"), 0)).toBe("20231012");
  expect(nightOf(jdFromIso("2023-10-11T23:59:59.999Z"), 0)).toBe("20231011");
  // An evening in Chile, midnight UTC and the morning after are one night.
  for (const time of ["2026-02-24T12:00:00Z", "2026-02-24T23:00:00Z", "2026-02-25T00:00:00Z", "2026-02-25T11:59:59Z"]) {
    expect(nightOf(jdFromIso(time), 12)).toBe("20260224");
  }
  expect(nightOf(jdFromIso("2026-02-25T12:00:00Z"), 12)).toBe("20260225");
});

test("a time lies in the night that it names, and in no other", () => {
  const jd = fc.oneof(
    fc.double({ min: 2_400_000, max: 2_500_000, noNaN: true }),
    fc.double({ min: -1e12, max: 1e12, noNaN: true }),
    fc.integer({ min: 4_800_000, max: 5_000_000 }).map((halves) => halves / 2),
  );
  fc.assert(
    fc.property(jd, fc.constantFrom(0, 12), (time, offset) => {
      const name = nightOf(time, offset);
      const { startJd, endJd } = nightNamed(name, offset);
      expect(name).toMatch(/^\d{8}$/);
      expect(time >= startJd && time < endJd).toBe(true);
      if (Number.isFinite(endJd)) expect(nightOf(endJd, offset)).not.toBe(name);
      if (Number.isFinite(startJd)) expect(endJd === Number.POSITIVE_INFINITY || endJd - startJd === 1).toBe(true);
    }),
  );
});

test("nights have the dates of the calendar", () => {
  fc.assert(
    fc.property(fc.date({ min: new Date("0000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }), (date) => {
      const name = date.toISOString().slice(0, 10).replaceAll("-", "");
      expect(nightNamed(name, 0).name).toBe(name);
    }),
  );
  for (const bad of ["", "2023101", "20230230", "20231301", "2023-10-12", "２０２３１０１２", "202310121"]) {
    expect(() => nightNamed(bad, 0)).toThrow(/YYYYMMDD/);
  }
});
