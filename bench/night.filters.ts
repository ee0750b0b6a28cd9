// The published benchmark's filter, once for each place, with thresholds of its own so that nothing can be shared. Called by
// night.bench.ts.
import { readFile } from "node:fs/promises";
import { ask } from "../test/service.js";

const CREATE = "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }";

/** Filters over ZTF's alerts that are active when this resolves; their ids. */
export async function createNightFilters(url: string, count: number): Promise<string[]> {
  const text = await cats150();
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const input = { name: `cats150 ${n}`, survey: "ZTF", where: text(n), annotations: ANNOTATIONS };
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

/** docs/examples/cats150.filter with each threshold moved a little, by no more than passes or fails a few alerts. */
async function cats150(): Promise<(n: number) => string> {
  const text = await readFile("docs/examples/cats150.filter", "utf8");
  return (n) =>
    text.replace(/ (>=?|<=?) (-?)(\d+(?:\.\d+)?)\b/g, (whole, sign, minus, number) =>
      Number(number) === 0 ? whole : ` ${sign} ${minus}${(Number(number) * (1 + n / 10_000)).toFixed(6)}`,
    );
}
