// Magnitudes and fluxes against the definition of AB magnitudes.
import { describe, expect, it } from "vitest";
import {
  fluxErrorFromMagnitude,
  fluxFromCounts,
  fluxFromMagnitude,
  magnitudeErrorFromFlux,
  magnitudeFromFlux,
} from "./flux.js";

describe("fluxes and magnitudes", () => {
  it("agree with AB: m = -2.5 log10(f) - 48.6 in erg/s/cm2/Hz, 1 nJy = 1e-32 of them", () => {
    for (const flux of [1e-3, 1, 575.44, 3.6e12]) {
      expect(magnitudeFromFlux(flux)).toBeCloseTo(-2.5 * Math.log10(flux * 1e-32) - 48.6, 10);
    }
    expect(fluxFromMagnitude(31.4)).toBe(1);
    expect(fluxFromMagnitude(18.9)).toBeCloseTo(1e5, 6);
  });

  it("take the size of negative fluxes and have nothing to say of none", () => {
    expect(magnitudeFromFlux(-100)).toBe(magnitudeFromFlux(100));
    expect([0, Number.NaN, Number.POSITIVE_INFINITY].map(magnitudeFromFlux)).toEqual([null, null, null]);
    expect(magnitudeErrorFromFlux(0, 1)).toBeNull();
    expect(magnitudeErrorFromFlux(1, Number.NaN)).toBeNull();
  });

  it("carry errors there and back: 10 sigma is 0.1086 mag", () => {
    expect(magnitudeErrorFromFlux(-100, 10)).toBeCloseTo(0.108574, 6);
    expect(fluxErrorFromMagnitude(magnitudeFromFlux(100)!, 0.108574)).toBeCloseTo(10, 4);
    // The slope, taken numerically.
    const slope = (fluxFromMagnitude(20 - 1e-6) - fluxFromMagnitude(20 + 1e-6)) / 2e-6;
    expect(fluxErrorFromMagnitude(20, 0.01) / (0.01 * slope)).toBeCloseTo(1, 8);
  });

  it("scale counts by their zero point", () => {
    expect(fluxFromCounts(1, 31.4)).toBe(1);
    expect(magnitudeFromFlux(fluxFromCounts(1, 26.3))).toBeCloseTo(26.3, 12);
    expect(fluxFromCounts(-250, 26.3)).toBeCloseTo(-250 * fluxFromMagnitude(26.3), 6);
  });
});
