// Step: the detections of each alert's counterpart in another survey, as lists lsst.detections and ztf.detections, where an
// active filter reads them. Made by cli/, called by ingest/pipeline.ts.
import type { AlertBatch } from "../../domain/alert.js";
import type { BigColumn, Block, ListColumn, NumberColumn, StringColumn } from "../../domain/columns.js";
import type { OperandSource } from "../../domain/operand.js";
import { counterpartList, POINT_KIND } from "../../domain/photometry.js";
import type { Survey, SurveyDescription } from "../../domain/survey.js";
import type { ActiveFilters, ActiveSet } from "../../filters/active.js";
import { type NearestStore, otherSurvey } from "../../stores/counterparts.store.js";
import type { HistoryStore } from "../../stores/history.store.js";
import type { Enrichment } from "./enrichment.js";
import { Gathering, sourcesOf } from "./history.gather.js";
import { histories } from "./history.js";
import { pointsAsTold } from "./history.points.js";

export interface CounterpartHistoryParts {
  readonly surveys: ReadonlyMap<Survey, SurveyDescription>;
  readonly nearest: NearestStore;
  readonly history: HistoryStore;
  readonly active: Pick<ActiveFilters, "of">;
}

/** Two queries for each other survey whose detections are read: one for the counterparts, one for what was told of them. */
export function createCounterpartHistory(parts: CounterpartHistoryParts): Enrichment {
  return {
    name: "counterparthistory",
    version: "1",
    followsFilters: true,
    async run(batch) {
      if (batch.alerts.rows === 0) return batch;
      const read = columnsRead(await parts.active.of(batch.survey));
      const lists = new Map<string, ListColumn>(batch.alerts.lists);
      for (const other of parts.surveys.values()) {
        const fields = other.pointFields.detections.filter(({ name }) => {
          const column = columnOf(other.id, name);
          return read.has(column) && !lists.has(column);
        });
        if (other.id === batch.survey || fields.length === 0) continue;
        for (const [name, list] of await detectionsOf(batch, other, fields, parts)) lists.set(name, list);
      }
      return { ...batch, alerts: { ...batch.alerts, lists } };
    },
  };
}

const columnOf = (other: Survey, field: string): string => `${counterpartList(other)}.${field}`;

function columnsRead({ filters }: ActiveSet): ReadonlySet<string> {
  const texts = filters.flatMap(({ where, annotations }) => [where.quick, where.slow, ...annotations]);
  return new Set(texts.flatMap((text) => text?.columns ?? []));
}

async function detectionsOf(
  batch: AlertBatch,
  other: SurveyDescription,
  fields: SurveyDescription["pointFields"]["detections"],
  { surveys, nearest, history }: CounterpartHistoryParts,
): Promise<[string, ListColumn][]> {
  const objectIds = await nearest.nearest(batch.alerts, otherSurvey(surveys.get(batch.survey)!, other));
  const columns = new Set(fields.flatMap(({ column }) => sourcesOf(column)));
  const told = await history.tellings(other.id, [...new Set(objectIds.flatMap((id) => id ?? []))], [...columns]);
  const asked = asCounterparts(batch, other.id, objectIds);
  const points = pointsAsTold(asked, told, other.publicProgramids);
  const fixed = new Set(other.pointColumns.filter(({ isFixed }) => isFixed).map(({ name }) => name));
  const gathering = new Gathering(told, asked, points, fixed);
  const kind = POINT_KIND.detection;
  const { ends } = points.lists[kind - 1]!;
  return fields.map((field) => [columnOf(other.id, field.name), { ends, items: gathering.column(kind, field) }]);
}

const LAST_CANDID = 2n ** 63n - 1n;
/** No point's: only public ones are known. */
const NOBODYS = -1;
const NOTHING: Block = { rows: 0, columns: new Map() };

/**
 * The alerts as if they were their counterparts', which know what was told up to their time: two surveys' packets have no
 * order but that. An alert without a counterpart has one without points.
 */
function asCounterparts(batch: AlertBatch, survey: Survey, objectIds: readonly (string | null)[]): AlertBatch {
  const { rows, columns } = batch.alerts;
  const objectId: StringColumn = { type: "String", values: objectIds.map((id) => id ?? ""), nulls: null };
  const candid: BigColumn = { type: "Int64", values: new BigInt64Array(rows).fill(LAST_CANDID), nulls: null };
  const programid: NumberColumn = { type: "Int32", values: new Int32Array(rows).fill(NOBODYS), nulls: null };
  const alerts = { rows, columns: new Map([...columns, ...Object.entries({ objectId, candid, programid })]) };
  return { survey, alerts, photometry: NOTHING, toldBy: new Uint32Array(0), packets: [] };
}

/** The lists for the filter language. */
export function counterpartHistories(descriptions: readonly SurveyDescription[]): OperandSource {
  const own = histories(descriptions);
  const detections = new Map(
    descriptions.map(({ id }) => {
      const list = own.operands(id).lists.find(({ name }) => name === "detections")!;
      const description = `Public detections, up to this alert's time, of its counterpart in ${id}, the nearest object there.`;
      return [id, { ...list, name: counterpartList(id), description }] as const;
    }),
  );
  return {
    operands: (survey) => {
      return { values: [], lists: [...detections].flatMap(([id, list]) => (id === survey ? [] : [list])) };
    },
    onChange: () => () => {},
  };
}
