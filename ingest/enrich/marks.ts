// Step: watch lists, areas and sky maps that hold each alert, as columns, lists and rows of `marks`. Made by cli/, called by
// ingest/pipeline.ts.
import type { AlertBatch } from "../../domain/alert.js";
import type { HeldMarks } from "../marks/held.js";
import { markColumns, markRows } from "../marks/rows.js";
import { numberColumn } from "../rows.js";
import type { Enrichment } from "./enrichment.js";

/** Raise it with every change of which alerts a mark holds. */
export const MARKS_VERSION = "1";

export function createMarks(held: Pick<HeldMarks, "hold">): Enrichment {
  return {
    name: "marks",
    version: MARKS_VERSION,
    async run(batch: AlertBatch): Promise<AlertBatch> {
      const { alerts } = batch;
      const [jd, ra, dec] = ["jd", "ra", "dec"].map((name) => numberColumn(alerts, name).values as Float64Array);
      const holdings = await held.hold(jd!, ra!, dec!);
      if (holdings.length === 0) return batch;
      const { columns, lists } = markColumns(holdings);
      const rows = markRows(alerts, holdings);
      return {
        ...batch,
        alerts: {
          ...alerts,
          columns: new Map([...alerts.columns, ...columns]),
          lists: new Map([...(alerts.lists ?? []), ...lists]),
        },
        annexes: [...(batch.annexes ?? []), ...(rows.rows > 0 ? [{ table: "marks" as const, rows }] : [])],
      };
    },
  };
}
