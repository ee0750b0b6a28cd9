// Magnitudes and fluxes. AB magnitudes, fluxes in nJy. Called by ingest/ (normalise) and by resolvers/.
/** m_AB = 31.4 - 2.5 log10(f / nJy): exactly, since AB is defined by -48.6 and erg/s/cm2/Hz (Oke and Gunn 1983). */
export const AB_ZERO_POINT_NJY = 31.4;

/** Magnitudes per relative flux, 2.5 / ln 10. */
const POGSON = 2.5 / Math.LN10;

/** AB magnitude of |flux| (nJy); null where the flux is zero or not a number. */
export function magnitudeFromFlux(flux: number): number | null {
  const size = Math.abs(flux);
  return size > 0 && Number.isFinite(size) ? AB_ZERO_POINT_NJY - 2.5 * Math.log10(size) : null;
}

/** 1-sigma error of that magnitude, to first order; null where there is no magnitude. */
export function magnitudeErrorFromFlux(flux: number, fluxError: number): number | null {
  const error = (POGSON * fluxError) / Math.abs(flux);
  return Number.isFinite(error) && error >= 0 ? error : null;
}

/** Flux in nJy of an AB magnitude, always positive: the caller knows the sign of the difference. */
export function fluxFromMagnitude(magnitude: number): number {
  return 10 ** ((AB_ZERO_POINT_NJY - magnitude) / 2.5);
}

/** 1-sigma error in nJy of that flux, to first order. */
export function fluxErrorFromMagnitude(magnitude: number, magnitudeError: number): number {
  return (fluxFromMagnitude(magnitude) * magnitudeError) / POGSON;
}

/** Flux in nJy of counts (or of their error) whose AB zero point, the magnitude of one count, is `zeroPoint`. */
export function fluxFromCounts(counts: number, zeroPoint: number): number {
  return counts * 10 ** ((AB_ZERO_POINT_NJY - zeroPoint) / 2.5);
}
