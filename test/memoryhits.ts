// A log of hits in memory, for tests and benchmarks of what stands above the archive: the hub and the sockets.
import type { Alert } from "../domain/alert.js";
import type { DeliveredHit } from "../domain/filter.js";
import { maySee } from "../domain/viewer.js";
import type { HubOptions } from "../subscriptions/hub.js";
import type { LogStores } from "../subscriptions/log.js";

/** Of the cursors of every such log. */
export const CURSOR_KEY = Buffer.from("a key for tests.");

export interface HitDraft {
  readonly filterId?: string;
  readonly programid?: number;
  readonly annotations?: string | null;
}

export class MemoryHits implements LogStores {
  readonly stored: DeliveredHit[] = [];
  /** Calls of hits.page. */
  pagesRead = 0;
  /** Thrown by the next reads, one each. */
  readonly failures: Error[] = [];

  /** `pause` is awaited in every read: a slow or uneven archive. */
  constructor(readonly pause: () => Promise<void> = async () => {}) {}

  store(...drafts: readonly HitDraft[]): DeliveredHit[] {
    const hits = drafts.map((draft, i) => deliveredHit(BigInt(this.stored.length + i + 1), draft));
    this.stored.push(...hits);
    return hits;
  }

  readonly hits: HubOptions["hits"] = {
    page: async (viewer, filterIds, first, after, upTo) => {
      this.pagesRead += 1;
      const visible = this.stored.filter(
        (hit) =>
          filterIds.includes(hit.filterId) &&
          maySee(viewer, hit.survey, hit.programid) &&
          hit.seq > after &&
          (upTo === null || hit.seq <= upTo),
      );
      await this.#read();
      return visible.slice(0, first);
    },
    since: async (after, first) => {
      const later = this.stored.filter((hit) => hit.seq > after);
      await this.#read();
      return later.slice(0, first);
    },
    lastSeq: async () => this.stored.at(-1)?.seq ?? 0n,
    cursorKey: async () => CURSOR_KEY,
  };

  readonly alerts: LogStores["alerts"] = {
    byCandid: async (viewer, survey, candids) => {
      await this.#read();
      const asked = new Set(candids);
      const seen = this.stored.filter((hit) => asked.has(hit.candid) && maySee(viewer, survey, hit.programid));
      return new Map(seen.map((hit) => [hit.candid, hit.alert]));
    },
  };

  async #read(): Promise<void> {
    await this.pause();
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
  }
}

function deliveredHit(seq: bigint, { filterId = "f1", programid = 1, annotations = null }: HitDraft): DeliveredHit {
  const candid = 2_459_000_000_000_000_000n + seq;
  const objectId = `ZTF25aa${seq.toString(26)}`;
  const jd = 2_460_000.5 + Number(seq) / 1_000;
  const alert: Alert = {
    survey: "ZTF",
    candid,
    objectId,
    jd,
    ra: 150.1163213,
    dec: 2.2012345,
    band: "r",
    magnitude: 19.0421,
    magnitudeError: 0.0713,
    flux: 87_654.321,
    fluxError: 5_432.1,
    isPositive: true,
    class: "hosted",
    solarSystemName: null,
    programid,
  };
  const common = { survey: "ZTF", candid, objectId, jd, programid };
  return { ...common, seq, filterId, filterVersion: 1, passedAt: Date.now(), annotations, alert };
}
