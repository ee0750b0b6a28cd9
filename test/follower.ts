// A subscriber that must not miss a hit: reads filterHits over graphql-ws and comes back after its last cursor whenever
// it is cut off. For tests.
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { type Client, createClient } from "graphql-ws";
import WebSocket from "ws";
import { ask } from "./service.js";

export interface SeenHit {
  readonly cursor: string;
  readonly filterId: string;
  readonly filterVersion: number;
  readonly annotations: Record<string, unknown> | null;
  readonly alert: { readonly survey: string; readonly candid: string; readonly objectId: string };
}
export const HIT_FIELDS = "cursor filterId filterVersion annotations alert { survey candid objectId }";

const QUERY = `subscription ($ids: [ID!]!, $after: String) { filterHits(filterIds: $ids, after: $after) { ${HIT_FIELDS} } }`;
const RETRY_MS = 25;

/** The cursor before the first hit of filters that have none yet: from there a follower misses nothing. */
export async function startCursor(url: string, filterIds: readonly string[]): Promise<string> {
  const query = "query ($ids: [ID!]!) { hits(filterIds: $ids, first: 1) { edges { cursor } pageInfo { endCursor } } }";
  const { hits } = await ask<{ hits: { edges: unknown[]; pageInfo: { endCursor: string } } }>(url, query, {
    ids: filterIds,
  });
  if (hits.edges.length > 0) throw new Error("These filters have hits.");
  return hits.pageInfo.endCursor;
}

export class HitFollower {
  readonly seen: SeenHit[] = [];
  /** Connections that stood and were cut off. */
  cuts = 0;
  /** Close codes of the sockets, in order. */
  readonly closeCodes: number[] = [];
  readonly #over = new AbortController();
  readonly #running: Promise<void>;
  #client: Client | undefined;

  /** `url` names the service as it is now: it may have moved. */
  constructor(
    readonly url: () => string,
    readonly filterIds: readonly string[],
    readonly after: string | null = null,
  ) {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#client?.dispose();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await this.#connection();
      if (signal.aborted) return;
      await pause(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** One connection to its end. */
  async #connection(): Promise<void> {
    let stood = false;
    const client = createClient({
      url: `${this.url().replace("http", "ws")}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      on: {
        connected: () => {
          stood = true;
        },
        closed: (event) => this.closeCodes.push((event as { code: number }).code),
      },
    });
    this.#client = client;
    const variables = { ids: this.filterIds, after: this.seen.at(-1)?.cursor ?? this.after };
    const ended = new EventTarget();
    const end = once(ended, "end");
    client.subscribe<{ filterHits: SeenHit }>(
      { query: QUERY, variables },
      {
        next: ({ data }) => data && this.seen.push(data.filterHits),
        error: () => ended.dispatchEvent(new Event("end")),
        complete: () => ended.dispatchEvent(new Event("end")),
      },
    );
    await end;
    if (stood) this.cuts += 1;
    await client.dispose();
  }
}
