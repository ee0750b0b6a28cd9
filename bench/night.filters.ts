// The published benchmark's filter, once for each place, with thresholds of its own so that nothing can be shared. Called by
// night.bench.ts.
import { ask } from "../test/service.js";

const CREATE = "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }";

/** Filters over ZTF's alerts that are active when this resolves; their ids. */
export async function createNightFilters(url: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const input = { name: `cats150 ${n}`, survey: "ZTF", where: cats150(n), annotations: ANNOTATIONS };
    ids.push((await ask<{ createFilter: { id: string } }>(url, CREATE, { input })).createFilter.id);
  }
  return ids;
}

const ANNOTATIONS = [
  { name: "mag", expression: "round(magpsf, 4)" },
  { name: "jd", expression: "round(jd, 4)" },
  { name: "age", expression: "round(jd - jdstarthist, 4)" },
  { name: "drb", expression: "round(drb, 2)" },
  { name: "detections", expression: "ndethist" },
];

const cats150 = (n: number): string => `
rb >= 0.${300 + n} and drb > 0.${500 + n} and fwhm > 0.5 and fwhm < ${8 - n / 1000} and nbad < 5 and isPositive
and (ssdistnr < 0 or ssdistnr >= ${12 + n / 1000} or ssmagnr <= 0 or ssmagnr is null or abs(magpsf - ssmagnr) >= 2)
and abs(magpsf - magap) < ${0.75 + n / 1000}
and not (sgscore1 > ${0.76 + n / 1000} and distpsnr1 < 2)
and not (distpsnr1 < 20 and srmag1 > 0 and srmag1 < 15 and sgscore1 > ${0.49 + n / 1000})
and not (distpsnr2 < 20 and srmag2 > 0 and srmag2 < 15 and sgscore2 > ${0.49 + n / 1000})
and not (distpsnr3 < 20 and srmag3 > 0 and srmag3 < 15 and sgscore3 > ${0.49 + n / 1000})
and not (sgscore1 = 0.5 and distpsnr1 < 0.5 and (abs(sgmag1) < 17 or abs(srmag1) < 17 or abs(simag1) < 17))
and (has(detections, abs(jd - alert.jd) > 0.007 and abs(jd - alert.jd) <= ${3 + n / 1000} and magpsf < 99 and isPositive
       and (ssdistnr < 0 or ssdistnr > 2))
  or has(forced, abs(jd - alert.jd) > 0.007 and abs(jd - alert.jd) <= ${3 + n / 1000} and snr >= 4 and procstatus = '0'))
and (magpsf - sigmapsf < ${20 - n / 1000}
  or has(detections, candid != alert.candid and isPositive and (ssdistnr < -0.5 or ssdistnr > 2)
       and magpsf - sigmapsf < ${20 - n / 1000})
  or has(forced, snr >= 4 and procstatus = '0' and magnitude - magnitudeError < ${20 - n / 1000}))`;
