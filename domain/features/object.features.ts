// The features of a light curve over all its bands, and of pairs of bands. Their values are made by object.ts and colours.ts.
import { feature, places } from "./definition.js";

const f = feature;

export const OBJECT_FEATURES = [
  f("count", "Int32", null, "Points in all bands: detections, and forced points with |flux| >= 3 fluxError."),
  f("detectionCount", "Int32", null, "Detections up to the alert, itself among them."),
  f("forcedCount", "Int32", null, "Forced points used: |flux| >= 3 fluxError and no detection of that time and band."),
  f("positiveFraction", "Float32", null, "Fraction of points with flux > 0."),
  f("peakJd", "Float64", "d", "Time of the brightest point of all bands (lowest magnitude; the first of equals)."),
  f("peakMag", "Float32", "mag", "Its magnitude."),
  f("peakMagError", "Float32", "mag", "Its 1-sigma error."),
  f("peakBand", "String", null, "Its band."),
  f("faintestJd", "Float64", "d", "Time of the faintest point of all bands (highest magnitude; the first of equals)."),
  f("faintestMag", "Float32", "mag", "Its magnitude."),
  f("faintestMagError", "Float32", "mag", "Its 1-sigma error."),
  f("faintestBand", "String", null, "Its band."),
  f("firstJd", "Float64", "d", "Time of the first point."),
  f("lastJd", "Float64", "d", "Time of the last point."),
  f("stationary", "Bool", null, "Seen at this place for longer than 0.01 d: lastJd - firstJd > 0.01."),
  f("age", "Float32", "d", "jd of the alert - firstJd; never negative."),
  f("daysSincePeak", "Float32", "d", "jd of the alert - peakJd; never negative."),
  f("daysToPeak", "Float32", "d", "peakJd - firstJd; never negative."),
  f("nonDetectionCount", "Int32", null, "Upper limits up to the alert."),
  f("nonDetectionsBefore", "Int32", null, "Upper limits before firstJd."),
  f("lastNonDetectionJd", "Float64", "d", "Time of the last upper limit before firstJd."),
  f("lastNonDetectionLimit", "Float32", "mag", "That limit (5 sigma)."),
  f("timeToNonDetection", "Float32", "d", "firstJd - lastNonDetectionJd."),
  f("deepestLimit", "Float32", "mag", "Faintest of all upper limits up to the alert."),
  f("reducedChi2", "Float32", null, "Chi squared against a constant in each band / (points - bands)."),
  f("stetsonJ", "Float32", null, "As in a band, with pairs across bands; d is each point's in its own band."),
  f("stetsonK", "Float32", null, "As in a band, over the points of bands with at least two."),
  f("stetsonL", "Float32", null, "stetsonJ stetsonK / sqrt(2 / pi)."),
] as const;

/** Of two bands that are next to each other in wavelength, the bluer first: feature.gr.meanColour is g - r. */
export const COLOUR_FEATURES = [
  f("peakColour", "Float32", "mag", "Difference of the two bands' peakMag, each at its own time."),
  f("meanColour", "Float32", "mag", "Difference of the two bands' meanMag."),
  f("nearestColour", "Float32", "mag", "Of the two points nearest in time, at most 1 d apart; of equals the latest."),
  f("nearestColourJd", "Float64", "d", "Middle of their times."),
  f("nearestColourGap", "Float32", "d", "Time between them."),
] as const;

/** Places in the values that objectFeatures() and colourFeatures() make. */
export const OBJECT = places(OBJECT_FEATURES);
export const COLOUR = places(COLOUR_FEATURES);
