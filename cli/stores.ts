// Every store of a service, on the engines that its settings name. Called by cli/service.ts.
import type { Logger } from "pino";
import type { Survey, SurveyDescription } from "../domain/survey.js";
import { type Claims, createClaims } from "../ingest/claims.js";
import { persistently } from "../ingest/persistently.js";
import { createInFlightQuery } from "../stores/archive/inflight.js";
import { type ArchiveStores, createArchiveStores } from "../stores/archive/stores.js";
import { createLease, soleLease } from "../stores/graph/lease.js";
import { createGraphStores, type GraphStores } from "../stores/graph/stores.js";
import type { InFlightQuery } from "../stores/inflight.store.js";
import type { Lease } from "../stores/lease.store.js";
import type { PacketStore } from "../stores/packets.store.js";
import { holder, sharedClaims } from "./alone.js";
import { isShared, openArchive, openGraph, openPackets } from "./engines.js";
import type { Opened } from "./opened.js";
import type { LoggedOutages } from "./outages.js";
import type { Settings } from "./settings.js";
import type { Watching } from "./watching.js";

/** How long the others wait for a process that numbers hits and does not answer any more. */
const LEASE_SECONDS = 6;

export interface StoresParts {
  readonly settings: Settings;
  readonly surveys: ReadonlyMap<Survey, SurveyDescription>;
  readonly opened: Opened;
  readonly watching: Watching;
  readonly outages: LoggedOutages;
  readonly log: Logger;
}

export interface OpenStores {
  readonly archived: ArchiveStores;
  readonly linked: GraphStores;
  readonly packets: PacketStore;
  readonly inFlight: InFlightQuery;
  /** Of the one process that numbers hits. */
  readonly lease: Lease;
  /** Of what one process at a time may load. */
  readonly claims: Claims;
  /** Whether ingest is at work. */
  readonly isBusy: () => boolean;
  /** Work on the engines, again and again while they are away where they are servers. */
  patiently<T>(work: () => Promise<T>): Promise<T>;
}

/** Brings the engines up to date; follows what other processes change in them. */
export async function openStores({
  settings,
  surveys,
  opened,
  watching,
  outages,
  log,
}: StoresParts): Promise<OpenStores> {
  const shared = isShared(settings);
  // A server may come later than we do; an engine of our own that does not start is a fault.
  const onServers = settings.CLICKHOUSE_URL.length > 0 || settings.NEO4J_URL !== undefined;
  const patiently = <T>(work: () => Promise<T>): Promise<T> => (onServers ? persistently(work, outages) : work());

  const archive = opened.keep(await patiently(() => openArchive(settings, log)));
  const client = watching.archive(archive.client);
  const graph = watching.graph(opened.keep(await openGraph(settings)));
  const archived = await patiently(() =>
    createArchiveStores(client, [...surveys.values()], {
      // The positions that other processes write are not heard of.
      skyIndexBytes: shared ? 0 : settings.SKY_INDEX_MB * 1024 ** 2,
      log: (line) => log.warn(line),
    }),
  );
  watching.skyIndex(archived.skyPositions);
  const packets = opened.keep(await patiently(() => openPackets(settings, client)));
  const linked = await patiently(() => createGraphStores(graph));
  if (shared) {
    opened.onClose(linked.filters.follow());
    opened.onClose(archived.catalogs.follow());
  }
  return {
    archived,
    linked,
    packets,
    inFlight: createInFlightQuery(client),
    lease: shared
      ? createLease(graph, "sequencer", { holder: holder(), seconds: LEASE_SECONDS })
      : soleLease(graph, "sequencer"),
    claims: shared ? sharedClaims(graph) : createClaims(null),
    isBusy: () => archive.client.writing(),
    patiently,
  };
}
