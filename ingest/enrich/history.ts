// Step: the lists detections, nonDetections and forced of each alert: every point of its object up to its time, as packets
// up to this alert had told it. Made by cli/, called by ingest/pipeline.ts.
import type { AlertBatch } from "../../domain/alert.js";
import type { Column, ListColumn } from "../../domain/columns.js";
import type { OperandSource } from "../../domain/operand.js";
import { POINT_LISTS } from "../../domain/photometry.js";
import type { SurveyDescription } from "../../domain/survey.js";
import type { HistoryStore } from "../../stores/history.store.js";
import { stringColumn } from "../rows.js";
import { surveyModule } from "../surveys/index.js";
import type { Enrichment } from "./enrichment.js";
import { Gathering, sourcesOf } from "./history.gather.js";
import { pointsAsTold } from "./history.points.js";

export const createHistory = (store: HistoryStore): Enrichment => ({
  name: "history",
  version: "1",
  run: async (batch) => (batch.alerts.rows === 0 ? batch : withLists(batch, store)),
});

async function withLists(batch: AlertBatch, store: HistoryStore): Promise<AlertBatch> {
  const { publicProgramids, pointColumns, pointFields } = surveyModule(batch.survey).description;
  const objectIds = [...new Set(stringColumn(batch.alerts, "objectId").values)];
  const columns = new Set(
    POINT_LISTS.flatMap(([name]) => pointFields[name].flatMap(({ column }) => sourcesOf(column))),
  );
  const archived = await store.tellings(batch.survey, objectIds, [...columns]);
  const points = pointsAsTold(batch, archived, publicProgramids);
  const fixed = new Set(pointColumns.filter(({ isFixed }) => isFixed).map(({ name }) => name));
  const gathering = new Gathering(archived, batch, points, fixed);
  const added = new Map<string, ListColumn>(batch.alerts.lists);
  for (const [name, kind] of POINT_LISTS) {
    const { ends } = points.lists[kind - 1]!;
    for (const field of pointFields[name]) {
      added.set(`${name}.${field.name}`, new LazyList(ends, () => gathering.column(kind, field)));
    }
  }
  return { ...batch, alerts: { ...batch.alerts, lists: added } };
}

/** Most fields are read by nobody: their values are put together when somebody does. */
class LazyList implements ListColumn {
  #items: Column | null = null;

  constructor(
    readonly ends: Uint32Array,
    private readonly make: () => Column,
  ) {}

  get items(): Column {
    this.#items ??= this.make();
    return this.#items;
  }
}

const ABOUT = {
  detections: "Detections of the object up to this alert, itself included.",
  nonDetections: "Exposures up to this alert in which the object was not detected, with their limits.",
  forced: "Forced photometry at the object's place up to this alert.",
};
const NEVER_MISSING = ["jd", "band", "programid", "pointId"];

/** The lists for the filter language. */
export function histories(descriptions: readonly SurveyDescription[]): OperandSource {
  const operands = new Map(
    descriptions.map(({ id, pointFields }) => [
      id,
      POINT_LISTS.map(([name]) => ({
        name,
        description: ABOUT[name],
        order: "time" as const,
        fields: pointFields[name].map(({ column, ...field }) => ({
          ...field,
          nullable: !NEVER_MISSING.includes(column),
        })),
      })),
    ]),
  );
  return {
    operands: (survey) => ({ values: [], lists: operands.get(survey) ?? [] }),
    onChange: () => () => {},
  };
}
