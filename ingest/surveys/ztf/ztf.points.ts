// ZTF's fields of points, by its own names. Those of a detection come from prv_candidates and from the alert itself; drb,
// ssdistnr and ssmagnr from the alert only, since later packets leave them out. Called by ztf.survey.ts, ztf.normalise.ts.
import { COMMON_POINT_FIELDS, ownColumns, pointTable, withOwn } from "../pointfields.js";

const DETECTION = pointTable(`
magpsf             magnitude         Float64 mag    Magnitude of the difference by PSF fit.
sigmapsf           magnitudeError    Float64 mag    1-sigma error of magpsf.
diffmaglim         limitingMagnitude Float64 mag    Expected 5-sigma limit of the difference image.
ra                 ra                Float64 deg    Right ascension of this detection, ICRS.
dec                dec               Float64 deg    Declination of this detection, ICRS.
rb                 ztf_rb            Float32 -      Real-bogus score of the random forest, 0 to 1 (real).
drb                ztf_drb           Float32 -      Real-bogus score of the deep network; known where the detection's own alert is.
ssdistnr           ztf_ssdistnr      Float32 arcsec Distance to the nearest known solar-system object, else -999; as drb.
ssmagnr            ztf_ssmagnr       Float32 mag    Predicted magnitude of that object, else -999; as drb.
`);

const LIMIT = pointTable(`
diffmaglim         limitingMagnitude Float64 mag    Expected 5-sigma limit of the difference image.
pid                pointId           Int64   -      Processing id of the science image.
`);

const FORCED = pointTable(`
forcediffimflux    counts            Float32 DN     Difference flux in counts of the zero point magzpsci.
forcediffimfluxunc countsError       Float32 DN     1-sigma error of forcediffimflux.
magzpsci           zeroPoint         Float64 mag    Zero point of the photometry.
diffmaglim         limitingMagnitude Float64 mag    Expected 5-sigma limit of the difference image.
procstatus         ztf_procstatus    String  -      Status of the forced fit: "0" is good, else numbers with commas.
pid                pointId           Int64   -      Processing id of the science image.
`);

export const ZTF_POINT_FIELDS = {
  detections: withOwn(COMMON_POINT_FIELDS.detections, DETECTION),
  nonDetections: withOwn(COMMON_POINT_FIELDS.nonDetections, LIMIT),
  forced: withOwn(COMMON_POINT_FIELDS.forced, FORCED),
};

export const ZTF_POINT_COLUMNS = ownColumns("ztf", [...DETECTION, ...FORCED], ["ztf_procstatus"]);
