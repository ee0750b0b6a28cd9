// A light curve's fluxes for the search of a period. Called by feature.resolver.ts.
import type { PeriodInput } from "../../domain/features/period.js";
import type { LightCurve } from "../../domain/photometry.js";

interface Fluxes extends PeriodInput {
  readonly times: number[];
  readonly values: number[];
  readonly errors: number[];
  readonly bands: string[];
}

/** Detections, and forced points of other times and bands, up to `until` (JD), in order of time. */
export function fluxesOf(curve: LightCurve | null, until: number): PeriodInput {
  const { detections, forced } = curve ?? { detections: [], forced: [] };
  const seen = new Set<string>();
  const points = [...detections, ...forced]
    .filter(({ jd, band, flux, fluxError }) => {
      const key = `${band} ${jd}`;
      if (!(jd <= until) || flux === null || fluxError === null || !(fluxError > 0) || seen.has(key)) return false;
      seen.add(key);
      return true;
    })
    .sort((a, b) => a.jd - b.jd);
  const fluxes: Fluxes = { times: [], values: [], errors: [], bands: [] };
  for (const { jd, band, flux, fluxError } of points) {
    fluxes.times.push(jd);
    fluxes.values.push(flux!);
    fluxes.errors.push(fluxError!);
    fluxes.bands.push(band);
  }
  return fluxes;
}
