// Writer schema of simulated Rubin packets: the fields and types of Rubin's alert schema 10.0. Used by simulated.ts.
import { fieldList, recordType } from "../../simulator/schema.js";

const DIA_SOURCE = `diaSourceId long, visit long, detector int, diaObjectId [long], ssObjectId [long], parentDiaSourceId [long],
midpointMjdTai double, ra double, raErr [float], dec double, decErr [float], ra_dec_Cov [float], x float,
xErr [float], y float, yErr [float], centroid_flag [boolean], apFlux [float], apFluxErr [float],
apFlux_flag [boolean], apFlux_flag_apertureTruncated [boolean], isNegative [boolean], snr [float], psfFlux [float],
psfFluxErr [float], psfLnL [float], psfChi2 [float], psfNdata [int], psfFlux_flag [boolean],
psfFlux_flag_edge [boolean], psfFlux_flag_noGoodPixels [boolean], trailFlux [float], trailFluxErr [float],
trailRa [double], trailRaErr [float], trailDec [double], trailDecErr [float], trailLength [float],
trailLengthErr [float], trailAngle [float], trailAngleErr [float], trailChi2 [float], trailNdata [int],
trail_flag_edge [boolean], dipoleMeanFlux [float], dipoleMeanFluxErr [float], dipoleFluxDiff [float],
dipoleFluxDiffErr [float], dipoleLength [float], dipoleAngle [float], dipoleChi2 [float], dipoleNdata [int],
scienceFlux [float], scienceFluxErr [float], forced_PsfFlux_flag [boolean], forced_PsfFlux_flag_edge [boolean],
forced_PsfFlux_flag_noGoodPixels [boolean], templateFlux [float], templateFluxErr [float], ixx [float],
iyy [float], ixy [float], ixxPSF [float], iyyPSF [float], ixyPSF [float], shape_flag [boolean],
shape_flag_no_pixels [boolean], shape_flag_not_contained [boolean], shape_flag_parent_source [boolean],
extendedness [float], reliability [float], band [string], isDipole [boolean], dipoleFitAttempted [boolean],
timeProcessedMjdTai double, timeWithdrawnMjdTai [double], bboxSize [int], pixelFlags [boolean],
pixelFlags_bad [boolean], pixelFlags_cr [boolean], pixelFlags_crCenter [boolean], pixelFlags_edge [boolean],
pixelFlags_nodata [boolean], pixelFlags_nodataCenter [boolean], pixelFlags_interpolated [boolean],
pixelFlags_interpolatedCenter [boolean], pixelFlags_offimage [boolean], pixelFlags_saturated [boolean],
pixelFlags_saturatedCenter [boolean], pixelFlags_suspect [boolean], pixelFlags_suspectCenter [boolean],
pixelFlags_streak [boolean], pixelFlags_streakCenter [boolean], pixelFlags_injected [boolean],
pixelFlags_injectedCenter [boolean], pixelFlags_injected_template [boolean],
pixelFlags_injected_templateCenter [boolean], glint_trail [boolean]`;

const DIA_FORCED_SOURCE = `diaForcedSourceId long, diaObjectId long, ra double, dec double, visit long, detector int, psfFlux [float],
psfFluxErr [float], midpointMjdTai double, scienceFlux [float], scienceFluxErr [float], band [string],
timeProcessedMjdTai double, timeWithdrawnMjdTai [double]`;

/** The columns that do not repeat per band. */
const DIA_OBJECT = `diaObjectId long, validityStartMjdTai double, ra double, raErr [float], dec double, decErr [float],
ra_dec_Cov [float], firstDiaSourceMjdTai [double], lastDiaSourceMjdTai [double], nDiaSources int`;

/** The identifying part; simulated orbits have no ephemeris. */
const SS_SOURCE = `diaSourceId long, ssObjectId long, designation [string], eclLambda double, eclBeta double, galLon double,
galLat double, ephVmag [float], ephOffset [float]`;

const NAMESPACE = "lsst.v10_0";
const record = (name: string, text: string) => recordType(`${NAMESPACE}.${name}`, text);

export const DIA_SOURCE_FIELDS = fieldList(DIA_SOURCE);
export const DIA_FORCED_SOURCE_FIELDS = fieldList(DIA_FORCED_SOURCE);
export const DIA_OBJECT_FIELDS = fieldList(DIA_OBJECT);
export const SS_SOURCE_FIELDS = fieldList(SS_SOURCE);

export const SIMULATED_SCHEMA = JSON.stringify({
  type: "record",
  name: "alert",
  namespace: NAMESPACE,
  fields: [
    { name: "diaSourceId", type: "long" },
    { name: "observation_reason", type: ["null", "string"] },
    { name: "target_name", type: ["null", "string"] },
    { name: "diaSource", type: record("diaSource", DIA_SOURCE) },
    { name: "prvDiaSources", type: ["null", { type: "array", items: `${NAMESPACE}.diaSource` }] },
    {
      name: "prvDiaForcedSources",
      type: ["null", { type: "array", items: record("diaForcedSource", DIA_FORCED_SOURCE) }],
    },
    { name: "diaObject", type: ["null", record("diaObject", DIA_OBJECT)] },
    { name: "ssSource", type: ["null", record("ssSource", SS_SOURCE)] },
    { name: "cutoutDifference", type: ["null", "bytes"] },
    { name: "cutoutScience", type: ["null", "bytes"] },
    { name: "cutoutTemplate", type: ["null", "bytes"] },
  ],
});
