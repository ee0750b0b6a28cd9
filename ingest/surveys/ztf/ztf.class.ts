// Classes of ZTF alerts by rule, from the nearest solar-system object and the neighbours in PS1 and Gaia that the packet
// names. Called by ztf.survey.ts. Thresholds as in BOOM's enrichment of ZTF alerts.
import type { Block } from "../../../domain/columns.js";
import { floats } from "../columns.js";

const NEIGHBOURS = [1, 2, 3] as const;

/** One class a row; a comparison with a missing value is false, as in the filter language. */
export function classifyZtf(alerts: Block): string[] {
  const column = (name: string) => floats(alerts, name);
  const ssdistnr = column("ssdistnr");
  const ssmagnr = column("ssmagnr");
  const gaiaDistance = column("neargaiabright");
  const gaiaMagnitude = column("maggaiabright");
  const [g1, i1, z1] = [column("sgmag1"), column("simag1"), column("szmag1")];
  const scores = NEIGHBOURS.map((n) => column(`sgscore${n}`));
  const distances = NEIGHBOURS.map((n) => column(`distpsnr${n}`));
  const reds = NEIGHBOURS.map((n) => column(`srmag${n}`));
  const [score1, distance1, r1] = [scores[0]!, distances[0]!, reds[0]!];

  const isStar = (k: number): boolean => {
    const [score, distance, r] = [score1[k]!, distance1[k]!, r1[k]!];
    if (!(distance >= 0)) return false;
    const red = (z1[k]! > 0 && r - z1[k]! > 3) || (i1[k]! > 0 && r - i1[k]! > 3);
    return (score > 0.76 && distance <= 2) || (score > 0.2 && distance <= 1 && r > 0 && red);
  };
  const isNearBrightStar = (k: number): boolean => {
    if (gaiaDistance[k]! >= 0 && gaiaDistance[k]! <= 20 && gaiaMagnitude[k]! > 0 && gaiaMagnitude[k]! <= 12)
      return true;
    const bright = NEIGHBOURS.some((_, n) => {
      const [score, distance, r] = [scores[n]![k]!, distances[n]![k]!, reds[n]![k]!];
      return score > 0.49 && distance >= 0 && distance <= 20 && r > 0 && r <= 15;
    });
    const saturated = [g1[k]!, r1[k]!, i1[k]!].some((magnitude) => magnitude > 0 && magnitude < 17);
    return bright || (score1[k] === 0.5 && distance1[k]! >= 0 && distance1[k]! < 0.5 && saturated);
  };

  return Array.from({ length: alerts.rows }, (_, k) => {
    if (ssdistnr[k]! >= 0 && ssdistnr[k]! < 12 && ssmagnr[k]! >= 0) return "solar-system";
    if (isStar(k) || isNearBrightStar(k)) return "stellar";
    if (scores.some((score) => score[k]! >= 0 && score[k]! <= 0.5)) return "hosted";
    return Number.isNaN(score1[k]!) ? "unknown" : "hostless";
  });
}
