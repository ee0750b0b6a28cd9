// ZTF's own alert fields: the union of a candidate's fields over the alert schemas up to 4.02, but for jd, ra, dec, candid
// and programid, which are common columns. Values stay as they come: -999 in distances, magnitudes and scores means none.
import { fieldTable } from "../fieldtable.js";

export const ZTF_FIELDS = fieldTable(`
fid              Int32    -       Filter: 1 g, 2 r, 3 i.
pid              Int64    -       Processing id of the science image.
diffmaglim       Float32  mag     Expected 5-sigma limit of the difference image.
pdiffimfilename  String   -       File name of the difference image.
programpi        String   -       Principal investigator of the programme.
isdiffpos        String   -       t or 1: brighter than the reference; f or 0: fainter.
tblid            Int64    -       Id in the pipeline's extraction table.
nid              Int32    -       Night id: days since 2017-01-01 UTC.
rcid             Int32    -       Readout channel, 0 to 63.
field            Int32    -       ZTF field id.
xpos             Float32  pix     x position on the image.
ypos             Float32  pix     y position on the image.
magpsf           Float32  mag     Magnitude of the difference by PSF fit.
sigmapsf         Float32  mag     1-sigma error of magpsf.
chipsf           Float32  -       Reduced chi-square of the PSF fit.
magap            Float32  mag     Magnitude in an aperture of 14 pixels diameter.
sigmagap         Float32  mag     1-sigma error of magap.
distnr           Float32  pix     Distance to the nearest source of the reference image.
magnr            Float32  mag     Magnitude of that source.
sigmagnr         Float32  mag     1-sigma error of magnr.
chinr            Float32  -       DAOPhot chi of that source.
sharpnr          Float32  -       DAOPhot sharpness of that source.
sky              Float32  DN      Local sky background.
magdiff          Float32  mag     magap - magpsf.
fwhm             Float32  pix     Full width at half maximum, Gaussian core (SExtractor).
classtar         Float32  -       Star-galaxy score of SExtractor.
mindtoedge       Float32  pix     Distance to the nearest edge of the image.
magfromlim       Float32  mag     diffmaglim - magap.
seeratio         Float32  -       Width of the difference image's PSF over fwhm.
aimage           Float32  pix     Windowed RMS along the major axis (SExtractor).
bimage           Float32  pix     Windowed RMS along the minor axis (SExtractor).
aimagerat        Float32  -       aimage / fwhm.
bimagerat        Float32  -       bimage / fwhm.
elong            Float32  -       aimage / bimage.
nneg             Int32    -       Negative pixels in the central 5 x 5.
nbad             Int32    -       Bad pixels in the central 5 x 5.
rb               Float32  -       Real-bogus score of the random forest, 0 to 1 (real).
ssdistnr         Float32  arcsec  Distance to the nearest known solar-system object within 30 arcsec, else -999.
ssmagnr          Float32  mag     Predicted magnitude of that object, else -999.
ssnamenr         String   -       Name of that object in the MPC's lists; "null" where there is none.
sumrat           Float32  -       Sum of pixels over sum of their absolute values, central 5 x 5.
magapbig         Float32  mag     Magnitude in an aperture of 18 pixels diameter.
sigmagapbig      Float32  mag     1-sigma error of magapbig.
ranr             Float64  deg     Right ascension of the nearest source of the reference image.
decnr            Float64  deg     Declination of the nearest source of the reference image.
sgmag1           Float32  mag     g magnitude of the closest PS1 source within 30 arcsec, else -999.
srmag1           Float32  mag     r magnitude of the closest PS1 source.
simag1           Float32  mag     i magnitude of the closest PS1 source.
szmag1           Float32  mag     z magnitude of the closest PS1 source.
sgscore1         Float32  -       Star-galaxy score of the closest PS1 source, 0 galaxy to 1 star.
distpsnr1        Float32  arcsec  Distance to the closest PS1 source, else -999.
ndethist         Int32    -       Detections within 1.5 arcsec since the survey began, same field and channel.
ncovhist         Int32    -       Times that the position was observed since the survey began.
jdstarthist      Float64  d       Julian date of the earliest detection counted in ndethist.
jdendhist        Float64  d       Julian date of the latest detection counted in ndethist.
scorr            Float64  -       Peak signal to noise in the matched-filtered difference image.
tooflag          Int32    -       1: exposure of a target of opportunity.
objectidps1      Int64    -       PS1 id of the closest PS1 source.
objectidps2      Int64    -       PS1 id of the second closest PS1 source.
sgmag2           Float32  mag     g magnitude of the second closest PS1 source.
srmag2           Float32  mag     r magnitude of the second closest PS1 source.
simag2           Float32  mag     i magnitude of the second closest PS1 source.
szmag2           Float32  mag     z magnitude of the second closest PS1 source.
sgscore2         Float32  -       Star-galaxy score of the second closest PS1 source.
distpsnr2        Float32  arcsec  Distance to the second closest PS1 source, else -999.
objectidps3      Int64    -       PS1 id of the third closest PS1 source.
sgmag3           Float32  mag     g magnitude of the third closest PS1 source.
srmag3           Float32  mag     r magnitude of the third closest PS1 source.
simag3           Float32  mag     i magnitude of the third closest PS1 source.
szmag3           Float32  mag     z magnitude of the third closest PS1 source.
sgscore3         Float32  -       Star-galaxy score of the third closest PS1 source.
distpsnr3        Float32  arcsec  Distance to the third closest PS1 source, else -999.
nmtchps          Int32    -       Number of PS1 sources within 30 arcsec.
rfid             Int64    -       Processing id of the reference image.
jdstartref       Float64  d       Julian date of the earliest exposure in the reference image.
jdendref         Float64  d       Julian date of the latest exposure in the reference image.
nframesref       Int32    -       Number of exposures in the reference image.
rbversion        String   -       Version of the model of rb.
dsnrms           Float32  -       Difference image over its standard deviation at the position.
ssnrms           Float32  -       The same for the difference image convolved with its PSF.
dsdiff           Float32  -       dsnrms - ssnrms.
magzpsci         Float32  mag     Zero point of the photometry.
magzpsciunc      Float32  mag     Error of magzpsci.
magzpscirms      Float32  mag     RMS of the differences to the calibrators.
nmatches         Int32    -       Number of PS1 calibrators of the image.
clrcoeff         Float32  -       Colour coefficient of the calibration.
clrcounc         Float32  -       Error of clrcoeff.
zpclrcov         Float32  mag^2   Covariance of magzpsci and clrcoeff.
zpmed            Float32  mag     Zero point as the median difference to the calibrators.
clrmed           Float32  mag     Median colour of the calibrators: g-r for g and r, r-i for i.
clrrms           Float32  mag     RMS of the calibrators' colours.
neargaia         Float32  arcsec  Distance to the closest Gaia DR1 source within 90 arcsec, else -999.
neargaiabright   Float32  arcsec  Distance to the closest Gaia DR1 source brighter than 14 mag, else -999.
maggaia          Float32  mag     G magnitude of the closest Gaia DR1 source.
maggaiabright    Float32  mag     G magnitude of the closest Gaia DR1 source brighter than 14 mag.
exptime          Float32  s       Exposure time.
drb              Float32  -       Real-bogus score of the deep network, 0 to 1 (real).
drbversion       String   -       Version of the model of drb.
`);
