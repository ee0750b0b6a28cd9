// What is where at the end of the benchmark of faults, against the truth: lost and doubled, place by place.
import { Kafka, logLevel } from "kafkajs";
import { nightOf } from "../domain/night.js";
import type { Viewer } from "../domain/viewer.js";
import { surveyModule } from "../ingest/surveys/index.js";
import { openNeo4j } from "../stores/graph/neo4j.js";
import { createGraphStores } from "../stores/graph/stores.js";
import { HIT_FIELDS, type HitFollower, type SeenHit } from "../test/follower.js";
import { every } from "../test/pages.js";
import { ANNOTATED } from "../test/truefilters.js";
import { sameSources } from "../test/truth.js";
import { readSent, readWhole, type Sent, type TopicReader } from "./faults.readers.js";
import { type AlertStream, TOPICS, type Told } from "./faults.stream.js";
import { askPatiently, GROUP, type World } from "./faults.world.js";

export interface Check {
  readonly what: string;
  readonly due: number;
  readonly found: number;
  readonly lost: number;
  readonly doubled: number;
  /** Neither lost nor doubled, but wrong: the first few, in words. */
  readonly wrong: readonly string[];
}

export interface Subject {
  readonly world: World;
  readonly stream: AlertStream;
  /** Id by name. */
  readonly filters: ReadonlyMap<string, string>;
  readonly topics: ReadonlyMap<string, string>;
  readonly followers: ReadonlyMap<string, HitFollower>;
  readonly live: TopicReader;
}

const TOLD = 5;
const SURVEYS = ["ZTF", "LSST"] as const;

/** Two lists as multisets. */
export function compared(
  what: string,
  due: readonly string[],
  found: readonly string[],
  wrong: readonly string[] = [],
): Check {
  const times = new Map<string, number>();
  for (const key of found) times.set(key, (times.get(key) ?? 0) + 1);
  const wanted = new Set(due);
  const lost = [...wanted].filter((key) => !times.has(key));
  const more = [...times].filter(([key]) => !wanted.has(key)).map(([key]) => key);
  const doubled = [...times].reduce((sum, [, count]) => sum + count - 1, 0);
  const examples = [
    ...lost.slice(0, TOLD).map((key) => `lost: ${key}`),
    ...[...times]
      .filter(([, count]) => count > 1)
      .slice(0, TOLD)
      .map(([key, count]) => `${count}×: ${key}`),
    ...more.slice(0, TOLD).map((key) => `not due: ${key}`),
    ...wrong.slice(0, TOLD),
  ];
  return { what, due: wanted.size, found: found.length, lost: lost.length, doubled, wrong: examples };
}

export const holds = ({ lost, doubled, wrong }: Check): boolean => lost === 0 && doubled === 0 && wrong.length === 0;

export async function compareAll(subject: Subject): Promise<{ checks: Check[]; readBy: string }> {
  const { world, stream, filters, topics, live } = subject;
  const broker = world.kafka.settings.KAFKA_BROKERS!;
  const url = world.front;
  const sent = await readSent(broker, TOPICS);
  const checks: Check[] = [
    compared(
      "deliveries in Kafka (≥ 1 each)",
      Array.from({ length: stream.counts.messages }, (_, line) => `line ${line}`),
      [...new Set(sent.map(({ line }) => `line ${line}`))],
    ),
  ];
  for (const survey of SURVEYS) {
    const stored = await every<{ candid: string }>(url, "alerts", `where: { survey: ${survey} }`, "candid");
    const due = stream.alerts.filter((alert) => alert.survey === survey).map(({ candid }) => candid);
    checks.push(
      compared(
        `archive, ${survey}`,
        due,
        stored.map(({ candid }) => candid),
      ),
    );
  }
  checks.push(await lightCurves(url, stream.alerts), await deadLetters(url, sent));

  const ids = [...filters.values()];
  const nameOf = new Map([...filters].map(([name, id]) => [id, name]));
  const hits = await every<SeenHit>(url, "hits", "filterIds: $ids", HIT_FIELDS, { ids });
  const keyOf = ({ filterId, alert }: SeenHit): string => `${nameOf.get(filterId)} ${alert.candid}`;
  checks.push(compared("hits", stream.due, hits.map(keyOf), wrongAnnotations(hits, stream.alerts)));
  for (const [name, { seen }] of subject.followers) {
    const order = seen.every((hit, at) => hit.cursor === hits[at]?.cursor) ? [] : ["not in the order of the cursors"];
    checks.push(compared(`subscriber ${name}`, stream.due, seen.map(keyOf), order));
  }
  const cursors = new Map(hits.map((hit) => [keyOf(hit), hit.cursor]));
  const whole = await readWhole(broker, [...topics.values()], live);
  const filterOf = new Map([...topics].map(([name, topic]) => [topic, name]));
  for (const [reader, found] of [
    ["live", [...live.seen.values()]],
    [whole.by, whole.hits],
  ] as const) {
    for (const [name, topic] of topics) {
      const own = found.filter((hit) => hit.topic === topic);
      const keys = own.map((hit) => `${filterOf.get(hit.topic)} ${hit.candid}`);
      const others = own.filter((hit, at) => cursors.get(keys[at]!) !== hit.cursor);
      const due = stream.due.filter((key) => key.startsWith(`${name} `));
      const wrong = others.map((hit) => `cursor of ${hit.candid} in ${name}`);
      checks.push(compared(`topic "${name}", read by ${reader}`, due, keys, wrong));
    }
  }
  checks.push(...(await graph(world, hits, stream)), await bookmarks(broker));
  checks.push(...(await receipts(url, stream, sent)));
  return { checks, readBy: whole.by };
}

function wrongAnnotations(hits: readonly SeenHit[], alerts: readonly Told[]): string[] {
  const fieldsOf = new Map(alerts.map((alert) => [`${alert.survey} ${alert.candid}`, alert.fields]));
  return hits.flatMap(({ alert, annotations }) =>
    Object.entries(annotations ?? {})
      .filter(([name, value]) => value !== fieldsOf.get(`${alert.survey} ${alert.candid}`)?.[ANNOTATED[name]!])
      .map(([name]) => `annotation ${name} of ${alert.candid}`),
  );
}

/** Points of the light curves of some objects: the merge of their packets. */
async function lightCurves(url: string, alerts: readonly Told[]): Promise<Check> {
  const [due, found]: [string[], string[]] = [[], []];
  const QUERY = `query ($survey: Survey!, $ids: [ID!]!) { objects(survey: $survey, objectIds: $ids) { objectId alertCount
    lightCurve { detections { candid } nonDetections { jd } forced { jd } } } }`;
  interface Curve {
    objectId: string;
    alertCount: number;
    lightCurve: { detections: { candid: string }[]; nonDetections: unknown[]; forced: unknown[] };
  }
  for (const survey of SURVEYS) {
    const own = alerts.filter((alert) => alert.survey === survey);
    const ids = [...new Set(own.map(({ objectId }) => objectId))].filter((_, n) => n % 7 === 0).slice(0, 100);
    const { objects } = await askPatiently<{ objects: Curve[] }>(url, QUERY, { survey, ids });
    for (const { objectId, alertCount, lightCurve } of objects) {
      found.push(
        `${objectId} alerts ${alertCount}`,
        ...lightCurve.detections.map(({ candid }) => `${objectId} ${candid}`),
        `${objectId} limits ${lightCurve.nonDetections.length}`,
        `${objectId} forced ${lightCurve.forced.length}`,
      );
    }
    for (const objectId of ids) {
      const told = own.filter((alert) => alert.objectId === objectId);
      const distinct = (of: (alert: Told) => readonly string[]) => new Set(told.flatMap(of));
      due.push(
        `${objectId} alerts ${told.length}`,
        ...[...distinct(({ detections }) => detections)].map((candid) => `${objectId} ${candid}`),
        `${objectId} limits ${distinct(({ nonDetections }) => nonDetections).size}`,
        `${objectId} forced ${distinct(({ forced }) => forced).size}`,
      );
    }
  }
  return compared("light curves of a sample: points and counts", due, found);
}

async function deadLetters(url: string, sent: readonly Sent[]): Promise<Check> {
  const letters = await every<{ source: string; position: string }>(url, "deadLetters", "", "source position");
  const due = sent
    .filter(({ candid }) => candid === null)
    .map(({ topic, partition, offset }) => `${topic} partition ${partition} offset ${offset}`);
  return compared(
    "dead letters",
    due,
    letters.map(({ source, position }) => `${source} ${position}`),
  );
}

/** First and last hit of each object by filter, and the pairs of objects of two surveys that are one source. */
async function graph({ neo4j }: World, hits: readonly SeenHit[], { alerts }: AlertStream): Promise<Check[]> {
  const edges = new Map<string, { first: string; last: string }>();
  for (const { filterId, alert } of hits) {
    const key = `${filterId} ${alert.survey}:${alert.objectId}`;
    edges.set(key, { first: edges.get(key)?.first ?? alert.candid, last: alert.candid });
  }
  const due = [...edges].map(([key, { first, last }]) => `${key} first ${first} last ${last}`);
  const viewer: Viewer = {
    scope: "owner",
    programids: new Map(SURVEYS.map((survey) => [survey, "all"])),
    mayChange: false,
  };
  const settings = neo4j.settings as Record<"NEO4J_URL" | "NEO4J_USER" | "NEO4J_PASSWORD", string>;
  const opened = openNeo4j({ url: settings.NEO4J_URL, user: settings.NEO4J_USER, password: settings.NEO4J_PASSWORD });
  try {
    const { links } = await createGraphStores(opened);
    const objects = [...new Map(alerts.map((alert) => [`${alert.survey} ${alert.objectId}`, alert])).values()];
    const [found, pairs]: [string[], string[]] = [[], []];
    for (let at = 0; at < objects.length; at += 500) {
      const some = objects.slice(at, at + 500);
      for (const [object, passed] of await links.passedFilters(viewer, some)) {
        for (const { filterId, first, last } of passed) {
          found.push(`${filterId} ${object} first ${first.candid} last ${last.candid}`);
        }
      }
      for (const [object, others] of await links.counterparts(some)) {
        for (const { survey, objectId } of others) pairs.push(`${object} ${survey}:${objectId}`);
      }
    }
    return [
      compared("graph: filters that objects passed", due, found),
      compared("graph: counterparts", [...sameSources(alerts)], pairs),
    ];
  } finally {
    await opened.close();
  }
}

/** At the end of every partition. */
async function bookmarks(broker: string): Promise<Check> {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const [due, found]: [string[], string[]] = [[], []];
    for (const topic of TOPICS) {
      const ends = await admin.fetchTopicOffsets(topic);
      const [group] = await admin.fetchOffsets({ groupId: GROUP, topics: [topic] });
      due.push(
        ...ends.filter(({ high }) => high !== "0").map(({ partition, high }) => `${topic} ${partition}: ${high}`),
      );
      const committed = group!.partitions.filter(({ offset }) => Number(offset) > 0);
      found.push(...committed.map(({ partition, offset }) => `${topic} ${partition}: ${offset}`));
    }
    return compared("bookmarks at the end", due, found);
  } finally {
    await admin.disconnect();
  }
}

/** Every offset is in the receipts, without gaps, and each night's numbers add up. */
async function receipts(url: string, { alerts }: AlertStream, sent: readonly Sent[]): Promise<Check[]> {
  const QUERY = `query ($survey: Survey!, $night: String!) { nightReceipt(survey: $survey, night: $night) {
    received stored duplicates deadLetters archived adds
    sources { source partition gaps { first last } adds offsets { first last } } } }`;
  interface Receipt {
    received: number;
    stored: number;
    duplicates: number;
    deadLetters: number;
    archived: number;
    adds: boolean;
    sources: { source: string; partition: number | null; gaps: { first: string; last: string }[]; adds: boolean }[];
  }
  const nights = new Map<string, number>();
  for (const { survey, fields } of alerts) {
    const jd = survey === "ZTF" ? Number(fields.jd) : Number(fields.midpointMjdTai) + 2_400_000.5 - 37 / 86_400;
    const key = `${survey} ${nightOf(jd, surveyModule(survey).description.nightOffsetHours)}`;
    nights.set(key, (nights.get(key) ?? 0) + 1);
  }
  const [found, wrong]: [string[], string[]] = [[], []];
  const sums = { received: 0, stored: 0, duplicates: 0, deadLetters: 0 };
  for (const key of nights.keys()) {
    const [survey, night] = key.split(" ");
    const { nightReceipt: receipt } = await askPatiently<{ nightReceipt: Receipt }>(url, QUERY, { survey, night });
    found.push(`${key}: ${receipt.stored} stored`);
    const { sources, ...told } = receipt;
    if (!receipt.adds) wrong.push(`${key} does not add up: ${JSON.stringify(told)}`);
    for (const { source, partition, gaps, adds } of sources) {
      if (gaps.length > 0 || !adds) wrong.push(`${key} ${source} ${partition}: gaps ${JSON.stringify(gaps)}`);
    }
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += receipt[name];
  }
  if (sums.received < sent.length) wrong.push(`${sent.length} deliveries, ${JSON.stringify(sums)}`);
  process.stderr.write(`Receipts: ${JSON.stringify(sums)} of ${sent.length} deliveries\n`);
  const due = [...nights].map(([key, count]) => `${key}: ${count} stored`);
  return [compared("receipts of nights", due, found, wrong)];
}
