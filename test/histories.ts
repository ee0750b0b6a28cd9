// Random packets of objects with their histories, and what each alert knows of its object's points by the plain rule: for
// tests of the lists of points. Values are told anew (never the old ones again), by several programmes, at equal times.
import type { Block, Column } from "../domain/columns.js";
import { POINT_LISTS } from "../domain/photometry.js";
import type { PointField, SurveyDescription } from "../domain/survey.js";
import { createRandom, type Random } from "../ingest/simulator/random.js";
import type { Row, TestAlert, TestPoint } from "./batches.js";

/** Shuffled in no way: by (jd, candid), as a stream would bring them. */
export function randomPackets(description: SurveyDescription, seed: string, alerts: number): TestAlert[] {
  const random = createRandom(seed);
  const packets: TestAlert[] = [];
  let candid = 1_000_000_000_000_000_000n;
  while (packets.length < alerts) {
    candid += BigInt(1 + random.below(1000)) * 1_000n;
    packets.push(...objectPackets(description, random, `${seed}o${packets.length}`, candid));
  }
  return packets.slice(0, alerts).sort((a, b) => a.jd - b.jd || (a.candid < b.candid ? -1 : 1));
}

function objectPackets(survey: SurveyDescription, random: Random, objectId: string, from: bigint): TestAlert[] {
  const packets: TestAlert[] = [];
  const visits: { jd: number; id: bigint; programid: number; detected: boolean }[] = [];
  // How often each point's values have changed so far.
  const version = new Map<string, number>();
  const count = 1 + random.below(12);
  let jd = 2_460_000.5 + random.below(40);
  for (let n = 0; n < count; n++) {
    // Some exposures have the same time.
    jd += random.pick([0, 0.25, 1, 1, 3, 12]);
    const candid = from + BigInt(n);
    const programid = random.pick([1, 1, 1, 2, 3]);
    const detected = n === 0 || random.uniform() < 0.6;
    visits.push({ jd, id: candid, programid, detected });
    if (!detected) continue;
    const at = { objectId, jd, ra: 10, dec: 20 };
    const told = (kind: 1 | 2 | 3, visit: (typeof visits)[number], isOwn: boolean): TestPoint => {
      const key = `${kind} ${visit.id}`;
      if (random.uniform() < 0.15) version.set(key, (version.get(key) ?? 0) + 1);
      return {
        ...{ kind, pointId: visit.id, jd: visit.jd, programid: visit.programid },
        values: valuesOf(survey, kind, visit.id, version.get(key) ?? 0, isOwn),
      };
    };
    const window = random.pick([2, 30]);
    const points = [told(1, visits.at(-1)!, true)];
    for (const earlier of visits) {
      // Another time than the packet's own, not long ago, and sometimes left out.
      if (earlier.jd >= jd || earlier.jd < jd - window || random.uniform() < 0.2) continue;
      points.push(told(earlier.detected ? 1 : 2, earlier, false));
      if (random.uniform() < 0.7) points.push(told(3, earlier, false));
    }
    // What has no time yet is told too early by nobody, but a packet may repeat itself: then its last word counts.
    if (random.uniform() < 0.2 && points.length > 1) points.push(points[1 + random.below(points.length - 1)]!);
    packets.push({ candid, programid, ...at, points });
  }
  return packets;
}

/** Exact in 32 bits, none of them twice; some are missing. */
function valuesOf({ pointColumns }: SurveyDescription, kind: number, id: bigint, version: number, isOwn: boolean): Row {
  const n = Number(id % 4096n);
  const value = (scale: number) => Math.fround(scale + n / 4096 + version / 8);
  const flux = n % 7 === 0 && kind === 3 ? null : (n % 2 === 0 ? 1 : -1) * Math.fround(value(500) * 16);
  const row: Record<string, Row[string]> = {
    band: "gri"[n % 3]!,
    isPositive: n % 2 === 0,
    limitingMagnitude: n % 5 === 0 && kind !== 2 ? null : value(20),
    ...(kind !== 2 && { flux, fluxError: flux === null ? null : value(30) }),
    ...(kind === 1 && { magnitude: value(18), magnitudeError: n % 11 === 0 ? null : value(0.1) }),
    ...(kind === 3 && { zeroPoint: value(26) }),
  };
  for (const { name, type, isFixed } of pointColumns) {
    const isForced = name.endsWith("procstatus");
    if (isForced !== (kind === 3) || kind === 2) continue;
    // What never changes, of which half the columns are told by the detection's own packet only.
    if (isFixed) row[name] = isOwn || name.length % 2 === 0 ? Math.fround(name.length + n / 4096) : null;
    else row[name] = type === "String" ? `${version},${n}` : value(name.length);
  }
  return row;
}

/** A point of a list: values by field. */
export type Known = Readonly<Record<string, number | bigint | string | boolean | null>>;

/** For each alert, by its candid, its lists by the rule, from all packets that have ever come. */
export function listsByRule(description: SurveyDescription, packets: readonly TestAlert[]) {
  const lists = new Map<bigint, Record<string, Known[]>>();
  const ofObject = new Map<string, TestAlert[]>();
  for (const packet of packets) ofObject.set(packet.objectId, [...(ofObject.get(packet.objectId) ?? []), packet]);
  for (const alert of packets) {
    const before = ofObject
      .get(alert.objectId)!
      .filter(({ jd, candid }) => jd < alert.jd || (jd === alert.jd && candid <= alert.candid));
    const maySee = (programid: number) =>
      programid === alert.programid || description.publicProgramids.includes(programid);
    lists.set(alert.candid, listsTold(description, before, alert.jd, maySee));
  }
  return lists;
}

/** What packets of an object had told of its points up to a time. */
export function listsTold(
  description: SurveyDescription,
  packets: readonly TestAlert[],
  jd: number,
  maySee: (programid: number) => boolean,
): Record<string, Known[]> {
  const known = new Map<string, TestPoint>();
  const fixed = new Map<string, number>();
  for (const { points = [] } of packets.toSorted((a, b) => a.jd - b.jd || (a.candid < b.candid ? -1 : 1))) {
    for (const point of points) {
      known.set(`${point.kind} ${point.pointId}`, point);
      for (const { name, isFixed } of description.pointColumns) {
        const value = point.values?.[name];
        const key = `${point.kind} ${point.pointId} ${name}`;
        if (isFixed && typeof value === "number") fixed.set(key, Math.max(fixed.get(key) ?? value, value));
      }
    }
  }
  const seen = [...known.values()]
    .filter((point) => point.jd <= jd && maySee(point.programid!))
    .sort((a, b) => a.jd - b.jd || (a.pointId < b.pointId ? -1 : a.pointId > b.pointId ? 1 : 0));
  const list = (name: (typeof POINT_LISTS)[number][0], kind: number): Known[] =>
    seen
      .filter((point) => point.kind === kind)
      .map((point) =>
        Object.fromEntries(description.pointFields[name].map((field) => [field.name, pointValue(point, field, fixed)])),
      );
  return Object.fromEntries(POINT_LISTS.map(([name, kind]) => [name, list(name, kind)]));
}

function pointValue(point: TestPoint, { column, type }: PointField, fixed: ReadonlyMap<string, number>): Known[string] {
  const row: Row = { ...point.values, pointId: point.pointId, jd: point.jd, programid: point.programid ?? null };
  const number = (name: string) => (row[name] ?? Number.NaN) as number;
  const counts = (name: string) => number(name) / 10 ** ((31.4 - number("zeroPoint")) / 2.5);
  const derived = {
    snr: () => Math.abs(number("flux")) / number("fluxError"),
    counts: () => counts("flux"),
    countsError: () => counts("fluxError"),
  }[column];
  const value = derived?.() ?? fixed.get(`${point.kind} ${point.pointId} ${column}`) ?? row[column] ?? null;
  if (typeof value !== "number") return value;
  return Number.isFinite(value) ? (type === "Float32" ? Math.fround(value) : value) : null;
}

/** The lists of each row of a block, by the name of the list. */
export function listsOf(description: SurveyDescription, block: Block, row: number): Record<string, Known[]> {
  return Object.fromEntries(
    POINT_LISTS.map(([name]) => {
      const fields = description.pointFields[name].map(
        (field) => [field.name, block.lists!.get(`${name}.${field.name}`)!] as const,
      );
      const { ends } = fields[0]![1];
      const from = row === 0 ? 0 : ends[row - 1]!;
      const points = Array.from({ length: ends[row]! - from }, (_, n) =>
        Object.fromEntries(fields.map(([field, { items }]) => [field, itemAt(items, from + n)])),
      );
      return [name, points];
    }),
  );
}

function itemAt(items: Column, n: number): Known[string] {
  if (items.nulls?.[n]) return null;
  return items.type === "Bool" ? items.values[n] === 1 : (items.values[n] as number | bigint | string);
}
