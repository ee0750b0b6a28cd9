// The graph follows the archive: hits and counterpart pairs that the archive holds and the graph does not yet know are
// linked, in the archive's order. Called by ingest/sequencer.ts after each numbering and at start, which is how a crash
// between archive and graph heals; and by ingest/pipeline.ts for objects that enter before the commit.
import pLimit from "p-limit";
import type { AlertBatch } from "../domain/alert.js";
import type { CounterpartStore } from "../stores/counterparts.store.js";
import type { HitStore } from "../stores/hits.store.js";
import type { LinkStore } from "../stores/links.store.js";
import { stringColumn } from "./rows.js";

/** Events read from the archive at a time, and linked before the checkpoint moves. */
const PAGE = 1000;

export interface GraphFollowerParts {
  readonly hits: Pick<HitStore, "since" | "lastSeq">;
  readonly counterparts: Pick<CounterpartStore, "since">;
  readonly links: LinkStore;
  /** `hits`: objects enter the graph by a hit or a counterpart. `all`: every object of every alert enters. */
  readonly scope: "hits" | "all";
}

export interface GraphFollower {
  /**
   * The objects of a batch enter the graph (scope `all`; else nothing happens). Call it before the batch is committed: no
   * feed of the archive names these objects, so a crash before this call must leave a batch that is taken in again.
   */
  enter(batch: AlertBatch): Promise<void>;
  /** Links everything that is numbered up to now. A call that fails leaves nothing to undo. */
  catchUp(): Promise<void>;
}

export function createGraphFollower({ hits, counterparts, links, scope }: GraphFollowerParts): GraphFollower {
  const following = pLimit(1);
  let checked = false;

  async function catchUp(): Promise<void> {
    if (!checked) await startOverOnOtherArchive();
    checked = true;
    await follow("hits", hits, (page) => links.linkHits(page));
    await follow("counterparts", counterparts, (page) => links.linkCounterparts(page));
  }

  /** A graph that is ahead of the archive followed another one (or one that lost its end): everything is linked again. */
  async function startOverOnOtherArchive(): Promise<void> {
    if ((await links.checkpoint("hits")) <= (await hits.lastSeq())) return;
    await links.setCheckpoint("hits", 0n);
    await links.setCheckpoint("counterparts", 0n);
  }

  async function follow<Event extends { readonly seq: bigint }>(
    feed: string,
    source: { since(after: bigint, first: number): Promise<Event[]> },
    link: (page: readonly Event[]) => Promise<void>,
  ): Promise<void> {
    let after = await links.checkpoint(feed);
    let page: readonly Event[];
    do {
      page = await source.since(after, PAGE);
      if (page.length === 0) return;
      await link(page);
      // Only now: a crash before this line links the page once more, which changes nothing.
      after = page.at(-1)!.seq;
      await links.setCheckpoint(feed, after);
    } while (page.length === PAGE);
  }

  return {
    async enter({ survey, alerts }) {
      if (scope === "hits" || alerts.rows === 0) return;
      await links.linkObjects(stringColumn(alerts, "objectId").values.map((objectId) => ({ survey, objectId })));
    },
    catchUp: () => following(catchUp),
  };
}
