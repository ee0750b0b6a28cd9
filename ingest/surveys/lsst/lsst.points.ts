// LSST's fields of points, by its own names: diaSource's of detections, diaForcedSource's of forced points. Called by
// lsst.survey.ts and lsst.normalise.ts.
import { COMMON_POINT_FIELDS, ownColumns, pointTable, withOwn } from "../pointfields.js";

const FLUX = `
psfFlux         flux                 Float64 nJy    Difference flux by PSF fit.
psfFluxErr      fluxError            Float64 nJy    1-sigma error of psfFlux.
`;

const DETECTION = pointTable(`${FLUX.trim()}
diaSourceId     pointId              Int64   -      Id of this source; the same as candid.
ra              ra                   Float64 deg    Right ascension of this source, ICRS.
dec             dec                  Float64 deg    Declination of this source, ICRS.
reliability     lsst_reliability     Float32 -      Probability of being astrophysical, 0 to 1.
`);

const LIMIT = pointTable(`
ccdVisitId      pointId              Int64   -      Id of the visit's detector image.
`);

const FORCED = pointTable(`${FLUX.trim()}
ccdVisitId      pointId              Int64   -      Id of the visit's detector image: visit x 1000 + detector.
`);

export const LSST_POINT_FIELDS = {
  detections: withOwn(COMMON_POINT_FIELDS.detections, DETECTION),
  nonDetections: withOwn(COMMON_POINT_FIELDS.nonDetections, LIMIT),
  forced: withOwn(COMMON_POINT_FIELDS.forced, FORCED),
};

export const LSST_POINT_COLUMNS = ownColumns("lsst", DETECTION);
