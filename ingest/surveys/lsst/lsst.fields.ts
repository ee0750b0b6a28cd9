// LSST's own alert fields: a diaSource's (schemas 9.0 to 11.1; covariances, which earlier ones had, stay in the packet), but for
// ra, dec, band and snr, which are common columns, and of diaObject and ssSource what filters want, named with the
// record's name and an underscore: diaObject_nDiaSources. Fluxes are difference fluxes in nJy; NaN stays NaN.
import type { OwnField } from "../../../domain/survey.js";
import { fieldTable } from "../fieldtable.js";

export const LSST_BANDS = ["u", "g", "r", "i", "z", "y"] as const;

/** Fields of diaSource by their own names. */
export const SOURCE_FIELDS = fieldTable(`
diaSourceId                         Int64    -            Id of this source; the same as candid.
visit                               Int64    -            Id of the visit.
detector                            Int32    -            Number of the detector.
diaObjectId                         Int64    -            Id of the object; 0 or missing: none.
ssObjectId                          Int64    -            Id of the solar-system object; 0 or missing: none.
parentDiaSourceId                   Int64    -            Source that this one was deblended from.
midpointMjdTai                      Float64  d            Middle of the visit, MJD, TAI.
exposureTime                        Float32  s            Effective exposure time.
raErr                               Float32  deg          1-sigma error of ra.
decErr                              Float32  deg          1-sigma error of dec.
ra_dec_Cov                          Float32  deg^2        Covariance of ra and dec.
x                                   Float32  pix          x position of the centroid.
xErr                                Float32  pix          1-sigma error of x.
y                                   Float32  pix          y position of the centroid.
yErr                                Float32  pix          1-sigma error of y.
centroid_flag                       Bool     -            The centroid could not be fitted.
apFlux                              Float32  nJy          Difference flux in an aperture of 12 pixels radius.
apFluxErr                           Float32  nJy          1-sigma error of apFlux.
apFlux_flag                         Bool     -            The aperture flux failed.
apFlux_flag_apertureTruncated       Bool     -            The aperture did not fit on the image.
isNegative                          Bool     -            Detected as significantly fainter than the template.
psfFlux                             Float32  nJy          Difference flux by PSF fit.
psfFluxErr                          Float32  nJy          1-sigma error of psfFlux.
psfLnL                              Float32  -            Log likelihood of the data under the point-source model.
psfChi2                             Float32  -            Chi-square of the point-source fit.
psfNdata                            Int32    -            Pixels in the point-source fit.
psfFlux_flag                        Bool     -            The PSF fit failed.
psfFlux_flag_edge                   Bool     -            Too close to the edge for the whole PSF.
psfFlux_flag_noGoodPixels           Bool     -            Too few good pixels for the PSF fit.
trailFlux                           Float32  nJy          Difference flux of a trailed source.
trailFluxErr                        Float32  nJy          1-sigma error of trailFlux.
trailRa                             Float64  deg          Right ascension of the trail's centre.
trailRaErr                          Float32  deg          1-sigma error of trailRa.
trailDec                            Float64  deg          Declination of the trail's centre.
trailDecErr                         Float32  deg          1-sigma error of trailDec.
trailLength                         Float32  arcsec       Length of the trail.
trailLengthErr                      Float32  arcsec       1-sigma error of trailLength.
trailAngle                          Float32  deg          Direction of the trail from the meridian.
trailAngleErr                       Float32  deg          1-sigma error of trailAngle.
trailChi2                           Float32  -            Chi-square of the trail fit.
trailNdata                          Int32    -            Pixels in the trail fit.
trailAlgorithm                      Int32    -            How the trail was measured: 1 SDSSShape, 2 HSMShape.
trail_flag_edge                     Bool     -            The trail reaches the edge of the image.
trail_flag                          Bool     -            The trail could not be fitted.
dipoleMeanFlux                      Float32  nJy          Mean absolute flux of a dipole's lobes.
dipoleMeanFluxErr                   Float32  nJy          1-sigma error of dipoleMeanFlux.
dipoleFluxDiff                      Float32  nJy          Difference of the lobes' absolute fluxes.
dipoleFluxDiffErr                   Float32  nJy          1-sigma error of dipoleFluxDiff.
dipoleLength                        Float32  arcsec       Separation of the lobes.
dipoleAngle                         Float32  deg          Direction from the negative to the positive lobe.
dipoleChi2                          Float32  -            Chi-square of the dipole fit.
dipoleNdata                         Int32    -            Pixels in the dipole fit.
scienceFlux                         Float32  nJy          Forced PSF flux on the visit image.
scienceFluxErr                      Float32  nJy          1-sigma error of scienceFlux.
forced_PsfFlux_flag                 Bool     -            The forced flux on the visit image failed.
forced_PsfFlux_flag_edge            Bool     -            Too close to the edge for the forced flux.
forced_PsfFlux_flag_noGoodPixels    Bool     -            Too few good pixels for the forced flux.
templateFlux                        Float32  nJy          Forced PSF flux on the template image.
templateFluxErr                     Float32  nJy          1-sigma error of templateFlux.
ixx                                 Float32  nJy.arcsec^2 Second moment xx of the source.
iyy                                 Float32  nJy.arcsec^2 Second moment yy of the source.
ixy                                 Float32  nJy.arcsec^2 Second moment xy of the source.
ixxPSF                              Float32  nJy.arcsec^2 Second moment xx of the PSF.
iyyPSF                              Float32  nJy.arcsec^2 Second moment yy of the PSF.
ixyPSF                              Float32  nJy.arcsec^2 Second moment xy of the PSF.
shape_flag                          Bool     -            The shape could not be measured.
shape_flag_no_pixels                Bool     -            No pixels to measure the shape on.
shape_flag_not_contained            Bool     -            The centre lies outside the footprint's box.
shape_flag_parent_source            Bool     -            A parent source, whose shape is not measured.
extendedness                        Float32  -            0 point-like to 1 extended.
reliability                         Float32  -            Probability of being astrophysical, 0 to 1.
reliabilityVersion                  String   -            Version of the model of reliability.
isDipole                            Bool     -            Well fitted by a dipole.
dipoleFitAttempted                  Bool     -            A dipole fit was tried.
timeProcessedMjdTai                 Float64  d            When the image was processed, MJD, TAI.
timeWithdrawnMjdTai                 Float64  d            When the record was withdrawn, MJD, TAI; NaN: it was not.
bboxSize                            Int32    pix          Side of the square that holds the footprint.
pixelFlags                          Bool     -            The pixel flags could not be set.
pixelFlags_bad                      Bool     -            Bad pixel in the footprint.
pixelFlags_cr                       Bool     -            Cosmic ray in the footprint.
pixelFlags_crCenter                 Bool     -            Cosmic ray in the central 3 x 3.
pixelFlags_edge                     Bool     -            Footprint partly off the usable image.
pixelFlags_nodata                   Bool     -            Pixel without data in the footprint.
pixelFlags_nodataCenter             Bool     -            Pixel without data in the central 3 x 3.
pixelFlags_interpolated             Bool     -            Interpolated pixel in the footprint.
pixelFlags_interpolatedCenter       Bool     -            Interpolated pixel in the central 3 x 3.
pixelFlags_offimage                 Bool     -            The centre is off the image.
pixelFlags_saturated                Bool     -            Saturated pixel in the footprint.
pixelFlags_saturatedCenter          Bool     -            Saturated pixel in the central 3 x 3.
pixelFlags_suspect                  Bool     -            Suspect pixel in the footprint.
pixelFlags_suspectCenter            Bool     -            Suspect pixel in the central 3 x 3.
pixelFlags_streak                   Bool     -            Streak in the footprint.
pixelFlags_streakCenter             Bool     -            Streak in the central 3 x 3.
pixelFlags_injected                 Bool     -            Injected source in the footprint.
pixelFlags_injectedCenter           Bool     -            Injected source in the central 3 x 3.
pixelFlags_injected_template        Bool     -            Source injected into the template in the footprint.
pixelFlags_injected_templateCenter  Bool     -            Source injected into the template in the central 3 x 3.
glint_trail                         Bool     -            Part of a satellite's trail of glints.
`);

/** Fields of other records: the column diaObject_nDiaSources is the field nDiaSources of diaObject. */
export const OBJECT_FIELDS = fieldTable(`
diaObject_nDiaSources               Int32    -            Number of sources of the object.
diaObject_firstDiaSourceMjdTai      Float64  d            First source of the object, MJD, TAI.
diaObject_lastDiaSourceMjdTai       Float64  d            Latest source of the object, MJD, TAI.
${LSST_BANDS.map(
  (band) => `diaObject_${band}_psfFluxMean            Float32  nJy          Weighted mean of psfFlux in ${band}.
diaObject_${band}_psfFluxMeanErr         Float32  nJy          Standard error of that mean.
diaObject_${band}_psfFluxMin             Float32  nJy          Lowest psfFlux in ${band}.
diaObject_${band}_psfFluxMax             Float32  nJy          Highest psfFlux in ${band}.
diaObject_${band}_psfFluxNdata           Int32    -            Number of sources in ${band}.
diaObject_${band}_scienceFluxMean        Float32  nJy          Weighted mean of scienceFlux in ${band}.`,
).join("\n")}
ssSource_elongation                 Float32  deg          Solar elongation.
ssSource_phaseAngle                 Float32  deg          Angle between Sun, object and observer.
ssSource_topoRange                  Float32  au           Distance from the observer.
ssSource_helioRange                 Float32  au           Distance from the Sun.
ssSource_ephVmag                    Float32  mag          Predicted V magnitude.
ssSource_ephRate                    Float32  deg/d        Predicted motion on the sky.
ssSource_ephOffset                  Float32  arcsec       Distance from the predicted position.
ssSource_diaDistanceRank            Int32    -            Rank by closeness to the predicted position.
`);

export const LSST_FIELDS: readonly OwnField[] = [...SOURCE_FIELDS, ...OBJECT_FIELDS];
