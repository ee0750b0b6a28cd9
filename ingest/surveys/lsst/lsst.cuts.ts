// Conditions that many filters over Rubin's alerts share. Called by lsst.survey.ts, shown by filterFields.
import type { Cut } from "../../../domain/survey.js";

export const LSST_CUTS: readonly Cut[] = [
  {
    name: "clean",
    expression: `not (isDipole or glint_trail or trail_flag_edge or pixelFlags_bad or pixelFlags_edge
or pixelFlags_saturatedCenter or pixelFlags_suspectCenter or pixelFlags_crCenter or pixelFlags_streakCenter)`,
    description: "No dipole, glint or trail, and no bad, saturated, cosmic-ray or streak pixels where it matters.",
  },
  {
    name: "knownAsteroid",
    expression: "ssObjectId != 0",
    description: "Attributed to a known solar-system object.",
  },
  {
    name: "staysHere",
    expression: "has(detections, alert.jd - jd > 0.02 and isPositive)",
    description: "Seen here before, more than half an hour ago: what moves is not.",
  },
];
