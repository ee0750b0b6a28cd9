// Conditions that many filters over ZTF's alerts share. Called by ztf.survey.ts, shown by filterFields.
import type { Cut } from "../../../domain/survey.js";

export const ZTF_CUTS: readonly Cut[] = [
  {
    name: "clean",
    expression: "rb >= 0.65 and nbad = 0 and fwhm <= 5 and elong <= 1.2 and abs(magdiff) <= 0.1",
    description: "The cuts for a pure sample that the survey's guide to alerts recommends.",
  },
  {
    name: "star",
    expression: "sgscore1 > 0.76 and distpsnr1 < 2",
    description: "On a point source of PS1.",
  },
  {
    name: "nearBrightStar",
    expression: `distpsnr1 < 20 and srmag1 > 0 and srmag1 < 15 and sgscore1 > 0.49
or distpsnr2 < 20 and srmag2 > 0 and srmag2 < 15 and sgscore2 > 0.49
or distpsnr3 < 20 and srmag3 > 0 and srmag3 < 15 and sgscore3 > 0.49`,
    description: "Within 20 arcsec of a star of PS1 brighter than 15 mag, one of the three closest sources.",
  },
  {
    name: "knownAsteroid",
    expression: "ssdistnr >= 0 and ssdistnr < 12 and ssmagnr > 0 and abs(magpsf - ssmagnr) < 2",
    description: "A known solar-system object is predicted within 12 arcsec, as bright within 2 mag.",
  },
  {
    name: "staysHere",
    expression: "has(detections, alert.jd - jd > 0.02 and isPositive)",
    description: "Seen here before, more than half an hour ago: what moves is not.",
  },
];
