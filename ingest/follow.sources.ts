// The graph's links from objects to the catalogs' sources near them follow the archive: an object that enters, or that has
// a new hit, is linked with what lay near that alert; matched again, it is linked again. Called by cli/ beside
// ingest/follow.ts: as a follower of hits, before a batch is committed, and by crossmatch/rematch.ts.
import pLimit from "p-limit";
import type { AlertBatch } from "../domain/alert.js";
import type { Catalog } from "../domain/catalog.js";
import type { Block } from "../domain/columns.js";
import { hostOf, kpcOf } from "../domain/match.js";
import type { Survey } from "../domain/survey.js";
import type { HitStore } from "../stores/hits.store.js";
import { type LinkStore, objectKey } from "../stores/links.store.js";
import type { MatchStore, StoredMatch } from "../stores/matches.store.js";
import type { ObjectSources, SourceLinkStore } from "../stores/sources.store.js";
import { bigColumn, numberColumn, stringColumn } from "./rows.js";

const FEED = "sources";
/** Hits read at a time. */
const PAGE = 1_000;

interface ObjectAlert {
  readonly survey: Survey;
  readonly objectId: string;
  readonly jd: number;
  readonly candid: bigint;
}

export interface SourceFollowerParts {
  readonly hits: Pick<HitStore, "since" | "lastSeq">;
  readonly matches: Pick<MatchStore, "ofAlerts">;
  readonly links: Pick<LinkStore, "checkpoint" | "setCheckpoint">;
  readonly sources: SourceLinkStore;
  readonly catalogs: () => readonly Catalog[];
  /** As of ingest/follow.ts: which objects are in the graph. */
  readonly scope: "hits" | "all";
}

export interface SourceFollower {
  /** The objects of a batch whose matches are in the archive (scope `all`). Before the batch is committed. */
  enter(batch: AlertBatch): Promise<void>;
  /** Objects of all hits that are numbered up to now. */
  catchUp(): Promise<void>;
  /** Alerts that were matched again: objects that are linked by one of them are linked again. */
  rematched(survey: Survey, alerts: Block): Promise<void>;
}

export function createSourceFollower(parts: SourceFollowerParts): SourceFollower {
  const { hits, matches, links, sources, catalogs, scope } = parts;
  const following = pLimit(1);

  async function link(alerts: readonly ObjectAlert[]): Promise<void> {
    const latest = latestOfObjects(alerts);
    const active = catalogs();
    const names = active.map(({ name }) => name);
    const linked: ObjectSources[] = [];
    for (const survey of new Set(latest.map((alert) => alert.survey))) {
      const own = latest.filter((alert) => alert.survey === survey);
      const found = await matches.ofAlerts(survey, own, names);
      for (const { objectId, jd, candid } of own) {
        const near = found.get(candid) ?? [];
        linked.push({ object: { survey, objectId }, jd, matches: near, host: hostLink(near, active) });
      }
    }
    await sources.linkSources(linked);
  }

  async function catchUp(): Promise<void> {
    let after = await links.checkpoint(FEED);
    // Of another archive, or one that lost its end.
    if (after > (await hits.lastSeq())) after = 0n;
    for (;;) {
      const page = await hits.since(after, PAGE);
      if (page.length === 0) return;
      await link(page);
      after = page.at(-1)!.seq;
      // Only now: a crash before this line links the page once more, which changes nothing.
      await links.setCheckpoint(FEED, after);
      if (page.length < PAGE) return;
    }
  }

  return {
    async enter({ survey, alerts }) {
      if (scope === "all" && alerts.rows > 0) await link(alertsOf(survey, alerts));
    },
    catchUp: () => following(catchUp),
    async rematched(survey, rows) {
      const alerts = alertsOf(survey, rows);
      const asked = alerts.map(({ objectId, jd }) => ({ object: { survey, objectId }, jd }));
      const keys = new Set((await sources.linkedAt(asked)).map(objectKey));
      const own = alerts.filter((alert) => keys.has(objectKey(alert)));
      if (own.length > 0) await link(own);
    },
  };
}

function hostLink(near: readonly StoredMatch[], catalogs: readonly Catalog[]): ObjectSources["host"] {
  const host = hostOf(near, catalogs);
  if (host === null) return null;
  const { catalog, sourceId, separationArcsec, version } = host;
  return { catalog, sourceId, separationArcsec, distanceKpc: kpcOf(host), version };
}

function alertsOf(survey: Survey, alerts: Block): ObjectAlert[] {
  const objectId = stringColumn(alerts, "objectId").values;
  const jd = numberColumn(alerts, "jd").values;
  const candid = bigColumn(alerts, "candid").values;
  return objectId.map((id, row) => ({ survey, objectId: id, jd: jd[row]!, candid: candid[row]! }));
}

function latestOfObjects(alerts: readonly ObjectAlert[]): ObjectAlert[] {
  const latest = new Map<string, ObjectAlert>();
  for (const alert of alerts) {
    const before = latest.get(objectKey(alert));
    const isLater =
      before === undefined || alert.jd > before.jd || (alert.jd === before.jd && alert.candid > before.candid);
    if (isLater) latest.set(objectKey(alert), alert);
  }
  return [...latest.values()];
}
