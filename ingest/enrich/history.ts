// Step: the lists detections, nonDetections and forced of each alert: every point of its object up to its time, as packets
// up to this alert had told it. Made by cli/, called by ingest/pipeline.ts.
import type { AlertBatch } from "../../domain/alert.js";
import type { ListColumn } from "../../domain/columns.js";
import type { OperandSource } from "../../domain/operand.js";
import { POINT_LISTS } from "../../domain/photometry.js";
import type { PointField, Survey, SurveyDescription } from "../../domain/survey.js";
import type { HistoryStore } from "../../stores/history.store.js";
import { surveyModule } from "../surveys/index.js";
import type { Enrichment } from "./enrichment.js";
import { Gathering, sourcesOf } from "./history.gather.js";
import { pointsAsTold } from "./history.points.js";

export interface HistoryParts {
  readonly store: HistoryStore;
  /** The list columns that somebody reads, as `detections.jd`; absent: all. Asked for each batch. */
  readonly wanted?: (survey: Survey) => ReadonlySet<string>;
}

export function createHistory({ store, wanted }: HistoryParts): Enrichment {
  return {
    name: "history",
    version: "1",
    async run(batch) {
      const { description } = surveyModule(batch.survey);
      const lists = wantedFields(description, wanted?.(batch.survey) ?? null);
      if (batch.alerts.rows === 0 || lists.every(({ fields }) => fields.length === 0)) return batch;
      return withLists(batch, description, lists, store);
    },
  };
}

interface WantedList {
  readonly name: string;
  readonly kind: number;
  readonly fields: readonly PointField[];
}

function wantedFields({ pointFields }: SurveyDescription, wanted: ReadonlySet<string> | null): WantedList[] {
  return POINT_LISTS.map(([name, kind]) => ({
    name,
    kind,
    fields: pointFields[name].filter((field) => wanted === null || wanted.has(`${name}.${field.name}`)),
  }));
}

async function withLists(
  batch: AlertBatch,
  { publicProgramids, pointColumns }: SurveyDescription,
  lists: readonly WantedList[],
  store: HistoryStore,
): Promise<AlertBatch> {
  const objectIds = [...new Set(batch.alerts.columns.get("objectId")!.values as readonly string[])];
  const columns = new Set(lists.flatMap(({ fields }) => fields.flatMap(({ column }) => sourcesOf(column))));
  const archived = await store.tellings(batch.survey, objectIds, [...columns]);
  const points = pointsAsTold(batch, archived, publicProgramids);
  const fixed = new Set(pointColumns.filter(({ isFixed }) => isFixed).map(({ name }) => name));
  const gathering = new Gathering(archived, batch, points, fixed);
  const added = new Map<string, ListColumn>(batch.alerts.lists);
  for (const { name, kind, fields } of lists) {
    const { ends } = points.lists[kind - 1]!;
    for (const field of fields) added.set(`${name}.${field.name}`, { ends, items: gathering.column(kind, field) });
  }
  return { ...batch, alerts: { ...batch.alerts, lists: added } };
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
