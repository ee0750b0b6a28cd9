// Step: watch lists, areas and sky maps that hold each alert, as columns, lists and rows of `marks`. Made by cli/, called by
// ingest/pipeline.ts.
import type { AlertBatch } from "../../domain/alert.js";
import { markOperand } from "../../domain/mark.js";
import { type MissingStep, stepFailed } from "../../domain/missing.js";
import type { HeldMarks } from "../marks/held.js";
import { markColumns, markRows } from "../marks/rows.js";
import { passes } from "../persistently.js";
import { numberColumn } from "../rows.js";
import { type Enrichment, withMissing } from "./enrichment.js";

export const MARKS_STEP = "marks";
/** Raise it with every change of which alerts a mark holds. */
export const MARKS_VERSION = "1";

/** What such a fault says may name what is private. */
const UNSAID = "Watch lists, areas and sky maps could not be looked through.";

/** A mark that cannot be looked through leaves its own values out, with the reason. */
export function createMarks(held: Pick<HeldMarks, "hold">): Enrichment {
  return {
    name: MARKS_STEP,
    version: MARKS_VERSION,
    async run(batch: AlertBatch): Promise<AlertBatch> {
      try {
        return await marked(batch, held);
      } catch (error) {
        if (passes(error)) throw error;
        return withMissing(batch, [{ ...stepFailed(MARKS_STEP, null, error), reason: UNSAID }]);
      }
    },
  };
}

async function marked(batch: AlertBatch, held: Pick<HeldMarks, "hold">): Promise<AlertBatch> {
  const { alerts } = batch;
  const [jd, ra, dec] = ["jd", "ra", "dec"].map((name) => numberColumn(alerts, name).values as Float64Array);
  const missing: MissingStep[] = [];
  const holdings = await held.hold(jd!, ra!, dec!, null, (mark, error) => {
    missing.push(stepFailed(MARKS_STEP, markOperand(mark), error));
  });
  if (holdings.length === 0) return withMissing(batch, missing);
  const { columns, lists } = markColumns(holdings);
  const rows = markRows(alerts, holdings);
  const added = {
    ...batch,
    alerts: {
      ...alerts,
      columns: new Map([...alerts.columns, ...columns]),
      lists: new Map([...(alerts.lists ?? []), ...lists]),
    },
    annexes: [...(batch.annexes ?? []), ...(rows.rows > 0 ? [{ table: "marks" as const, rows }] : [])],
  };
  return withMissing(added, missing);
}
