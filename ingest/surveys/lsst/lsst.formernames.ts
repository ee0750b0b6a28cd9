// Names that fields of Rubin's packets had before. Called by lsst.survey.ts.
import type { FormerNames } from "../formernames.js";
import { LSST_BANDS } from "./lsst.fields.js";

/** Schemas 2.0 to 4.0, of which there are samples of precursor data. */
const PRECURSORS = `
midPointTai midpointMjdTai
filterName band
decl dec
raSigma raErr
declSigma decErr
declErr decErr
ra_decl_Cov ra_dec_Cov
xSigma xErr
ySigma yErr
psFlux psfFlux
psFluxErr psfFluxErr
psLnL psfLnL
psChi2 psfChi2
psNdata psfNdata
trailDecl trailDec
trailFluxSigma trailFluxErr
trailRaSigma trailRaErr
trailDeclSigma trailDecErr
trailDeclErr trailDecErr
trailLengthSigma trailLengthErr
trailAngleSigma trailAngleErr
dipMeanFlux dipoleMeanFlux
dipMeanFluxSigma dipoleMeanFluxErr
dipMeanFluxErr dipoleMeanFluxErr
dipFluxDiff dipoleFluxDiff
dipFluxDiffSigma dipoleFluxDiffErr
dipFluxDiffErr dipoleFluxDiffErr
dipLength dipoleLength
dipAngle dipoleAngle
dipChi2 dipoleChi2
dipNdata dipoleNdata
totFlux scienceFlux
totFluxErr scienceFluxErr`;

/** 7.4, and ssSource of 8.0 and 9.0. */
const COMMISSIONING = `
is_negative isNegative
heliocentricDist helioRange
topocentricDist topoRange
predictedVMagnitude ephVmag`;

const pairs = (text: string): [string, string][] =>
  text
    .trim()
    .split("\n")
    .map((line) => line.split(" ") as [string, string]);

export const LSST_FORMER_NAMES: FormerNames = new Map([
  ...pairs(PRECURSORS),
  ...pairs(COMMISSIONING),
  ...LSST_BANDS.flatMap((band) =>
    ["Mean", "MeanErr", "Ndata"].map((of): [string, string] => [`${band}PSFlux${of}`, `${band}_psfFlux${of}`]),
  ),
]);
