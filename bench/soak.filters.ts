// Active filters as the published benchmarks have them, made over the API. Used by the benchmarks of soak and scale.
import { ask } from "../test/service.js";

/** The published benchmark's filter without its light curve part, each with numbers of its own; and for Rubin. */
export async function createFilters(url: string, ztfFilters: number, lsstFilters: number): Promise<string[]> {
  const ztf = Array.from(
    { length: ztfFilters },
    (_, n) => `rb >= 0.${30 + n} and drb > 0.${50 + n} and fwhm > 0.5 and fwhm < 8 and nbad < 5 and isPositive
      and (ssdistnr < 0 or ssdistnr >= 12 or ssmagnr <= 0 or ssmagnr is null or abs(magpsf - ssmagnr) >= 2)
      and abs(magpsf - magap) < 0.75 and not (sgscore1 > 0.76 and distpsnr1 < 2)
      and not (distpsnr1 < 20 and srmag1 > 0 and srmag1 < 15 and sgscore1 > 0.49) and magpsf - sigmapsf < ${(17 + n / 20).toFixed(2)}`,
  );
  const lsst = Array.from(
    { length: lsstFilters },
    (_, n) => `reliability > 0.9 and isPositive and snr > ${60 + 10 * n}`,
  );
  const query = "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }";
  const ids: string[] = [];
  for (const [n, where] of [...ztf, ...lsst].entries()) {
    const input = { name: `soak ${n}`, survey: n < ztfFilters ? "ZTF" : "LSST", where };
    ids.push((await ask<{ createFilter: { id: string } }>(url, query, { input })).createFilter.id);
  }
  return ids;
}
