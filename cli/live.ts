// What a service tells as it happens: the hub of hits, the feed of corrections, and hits as Kafka topics. Called by
// cli/service.ts.

import { anonymousViewer } from "../server/auth.js";
import type { CorrectionStore } from "../stores/corrections.store.js";
import { type CorrectionFeed, createCorrectionFeed } from "../subscriptions/corrections.js";
import { createHitHub, type HitHub } from "../subscriptions/hub.js";
import { createHitPublisher, type HitPublisher } from "../subscriptions/streams/publisher.js";
import { isShared } from "./engines.js";
import { kafkaConnection } from "./kafka.settings.js";
import { hubLimits } from "./limits.settings.js";
import type { OpenStores, StoresParts } from "./stores.js";

/** Subscribers see hits of other processes after this long at most. */
const WAKE_MS = 200;
/** A later insert may be seen before an earlier one on a replica, for moments. */
const REPLICA_LAG_MS = 5_000;

export interface LiveParts extends StoresParts {
  readonly stores: OpenStores;
}

export interface Live {
  readonly hub: HitHub;
  readonly feed: CorrectionFeed;
  /** For those who tell corrections: what they tell is counted. */
  readonly corrections: CorrectionStore;
  /** Null where no hits are published. */
  readonly publisher: HitPublisher | null;
}

export async function openLive(parts: LiveParts): Promise<Live> {
  const { settings, opened, watching, outages } = parts;
  const { archived, patiently } = parts.stores;
  const role = settings.TOCSIN_ROLE;
  const gapMs = settings.CLICKHOUSE_URL.length > 0 ? REPLICA_LAG_MS : 0;
  const hub = opened.keep(
    await patiently(() =>
      createHitHub({
        hits: archived.hits,
        alerts: archived.alerts,
        onFault: outages.failed,
        onBack: outages.over,
        onHit: (hit) => watching.sequence.delivered(hit),
        gapMs,
        limits: hubLimits(settings),
      }),
    ),
  );
  watching.hub(hub);
  if (isShared(settings) && role !== "ingest") {
    const timer = setInterval(hub.wake, WAKE_MS).unref();
    opened.onClose(() => clearInterval(timer));
  }
  const feed = opened.keep(
    createCorrectionFeed({
      corrections: archived.corrections,
      key: await patiently(() => archived.hits.cursorKey()),
      gapMs,
      maxListeners: settings.MAX_SUBSCRIPTIONS,
    }),
  );
  return {
    hub,
    feed,
    corrections: watching.corrections(archived.corrections, feed),
    publisher: role === "serve" ? null : openPublisher(parts),
  };
}

function openPublisher({ settings, surveys, opened, watching, log, stores }: LiveParts): HitPublisher | null {
  const kafka = kafkaConnection(settings);
  if (kafka === null) return null;
  const { archived, linked } = stores;
  const publisher = opened.keep(
    createHitPublisher({
      kafka,
      registryUrl: settings.SCHEMA_REGISTRY_URL ?? null,
      hits: archived.hits,
      alerts: archived.alerts,
      ...linked,
      viewer: anonymousViewer(surveys.values()),
      log,
    }),
  );
  watching.publisher(publisher);
  return publisher;
}
