// The features of one band of a light curve. Their values are made by band.ts and the files that it calls.
import { feature, places } from "./definition.js";

const f = feature;

/**
 * Points are in order of time. Magnitudes are those of |difference flux|, so that a fading below the reference has one
 * too; fluxes have their sign. s is the standard deviation with n - 1, w a weight 1 / error squared.
 */
export const BAND_FEATURES = [
  f("count", "Int32", null, "Points in this band (n): detections, and forced points with |flux| >= 3 fluxError."),
  f("peakJd", "Float64", "d", "Time of the brightest point (lowest magnitude; the first of equals)."),
  f("peakMag", "Float32", "mag", "Magnitude of the brightest point."),
  f("peakMagError", "Float32", "mag", "Its 1-sigma error."),
  f("faintestJd", "Float64", "d", "Time of the faintest point (highest magnitude; the first of equals)."),
  f("faintestMag", "Float32", "mag", "Magnitude of the faintest point."),
  f("firstJd", "Float64", "d", "Time of the first point."),
  f("firstMag", "Float32", "mag", "Magnitude of the first point."),
  f("lastJd", "Float64", "d", "Time of the last point."),
  f("lastMag", "Float32", "mag", "Magnitude of the last point."),
  f("span", "Float32", "d", "lastJd - firstJd."),
  f("meanMag", "Float32", "mag", "Mean magnitude, unweighted."),
  f("rmsMag", "Float32", "mag", "Root mean square of magnitudes about meanMag (divided by n)."),
  f(
    "risingRate",
    "Float32",
    "mag/d",
    "Slope of magnitude, weighted least squares up to and with the peak; negative: brightens.",
  ),
  f("risingRateError", "Float32", "mag/d", "1-sigma error of risingRate: 1 / sqrt(sum w (t - mean t)^2)."),
  f("risingChi2", "Float32", null, "Chi squared of that fit / (points - 2); missing at two points."),
  f("risingCount", "Int32", null, "Points of that fit."),
  f("risingSpan", "Float32", "d", "Time between the first and the last of them."),
  f("fadingRate", "Float32", "mag/d", "The same from the peak on; positive: fades."),
  f("fadingRateError", "Float32", "mag/d", "1-sigma error of fadingRate."),
  f("fadingChi2", "Float32", null, "Chi squared of that fit / (points - 2); missing at two points."),
  f("fadingCount", "Int32", null, "Points of that fit."),
  f("fadingSpan", "Float32", "d", "Time between the first and the last of them."),
  f(
    "riseToPeak",
    "Float32",
    "mag/d",
    "(peakMag - firstMag) / (peakJd - firstJd): two points only; negative: brightens.",
  ),
  f("decayFromPeak", "Float32", "mag/d", "(lastMag - peakMag) / (lastJd - peakJd); positive: fades."),
  f("meanFlux", "Float32", "nJy", "Mean flux, unweighted."),
  f("weightedMeanFlux", "Float32", "nJy", "sum w f / sum w; missing where an error is 0."),
  f("std", "Float32", "nJy", "Standard deviation s of fluxes, with n - 1."),
  f("amplitude", "Float32", "nJy", "(highest - lowest flux) / 2."),
  f("percentile5", "Float32", "nJy", "5th percentile of fluxes, linear between ranks as numpy's default."),
  f("percentile10", "Float32", "nJy", "10th percentile."),
  f("percentile25", "Float32", "nJy", "25th percentile."),
  f("median", "Float32", "nJy", "50th percentile."),
  f("percentile75", "Float32", "nJy", "75th percentile."),
  f("percentile90", "Float32", "nJy", "90th percentile."),
  f("percentile95", "Float32", "nJy", "95th percentile."),
  f("interPercentile50", "Float32", "nJy", "percentile75 - percentile25."),
  f("interPercentile80", "Float32", "nJy", "percentile90 - percentile10."),
  f("interPercentile90", "Float32", "nJy", "percentile95 - percentile5."),
  f("mad", "Float32", "nJy", "Median of |flux - median|, unscaled."),
  f("skew", "Float32", null, "n / ((n-1)(n-2)) sum ((f - mean) / s)^3; from 3 points."),
  f(
    "kurtosis",
    "Float32",
    null,
    "n(n+1) / ((n-1)(n-2)(n-3)) sum ((f - mean) / s)^4 - 3 (n-1)^2 / ((n-2)(n-3)); from 4 points.",
  ),
  f("beyond1Std", "Float32", null, "Fraction of points with |f - mean| > s."),
  f("beyond2Std", "Float32", null, "Fraction of points with |f - mean| > 2 s."),
  f("eta", "Float32", null, "Von Neumann 1941: sum (f[i+1] - f[i])^2 / ((n-1) s^2)."),
  f(
    "etaE",
    "Float32",
    null,
    "Eta for uneven times (Kim et al. 2014): (t[n] - t[1])^2 / (n-1)^3 sum ((f[i+1] - f[i]) / (t[i+1] - t[i]))^2 / s^2.",
  ),
  f(
    "stetsonJ",
    "Float32",
    null,
    "Stetson 1996: sum p sgn(P) sqrt|P| / sum p; two points within 0.1 d P = d1 d2, p = 1, alone P = d^2 - 1, p = 1/2; d = sqrt(n/(n-1)) (f - weightedMeanFlux) / error.",
  ),
  f("stetsonK", "Float32", null, "mean |d| / sqrt(mean d^2): 0.798 for a Gaussian."),
  f("stetsonL", "Float32", null, "stetsonJ stetsonK / sqrt(2 / pi)."),
  f("excessVariance", "Float32", null, "(s^2 - mean error^2) / meanFlux^2."),
  f("reducedChi2", "Float32", null, "sum w (f - weightedMeanFlux)^2 / (n - 1): against a constant."),
  f("linearTrend", "Float32", "nJy/d", "Slope of flux, unweighted least squares."),
  f("linearTrendError", "Float32", "nJy/d", "Its error, from the residuals' scatter; from 3 points."),
  f("maximumSlope", "Float32", "nJy/d", "Largest |f[i+1] - f[i]| / (t[i+1] - t[i])."),
  f("cusumRange", "Float32", null, "Highest - lowest of the sums of (f - mean) / (n s) over the first 1 to n points."),
  f(
    "structureSlope",
    "Float32",
    null,
    "Slope of log10 SF over log10 lag, unweighted; SF^2 = mean of (f[i] - f[j])^2 - error[i]^2 - error[j]^2 over pairs (of the last 64 points) with lags in [2^k, 2^(k+1)) d from 2^-6 d, lag = 2^(k+1/2) d; bins of at least 3 pairs and SF^2 > 0, at least 3 bins.",
  ),
] as const;

/** Place of each in the values that bandFeatures() makes. */
export const BAND = places(BAND_FEATURES);
