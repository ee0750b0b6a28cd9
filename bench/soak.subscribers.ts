// Subscribers of live hits over graphql-ws, each on a connection of its own, and how late their hits come. Used by
// soak.bench.ts.
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";

const QUERY = `subscription ($ids: [ID!]!) { filterHits(filterIds: $ids) { cursor passedAt annotations alert {
  survey candid objectId time ra dec band magnitude magnitudeError } } }`;

export interface Subscribers {
  /** Hits received so far by each subscriber. */
  readonly received: readonly number[];
  /** Connections that ended, or answered with an error, though nobody ended them. */
  readonly faults: readonly string[];
  /** Milliseconds from the alert's sending, of what came since the last call. */
  latencies(): number[];
  close(): Promise<void>;
}

/** Subscriber n follows filter n modulo their number. Resolves when all are connected. `sentAt` in ms since 1970. */
export async function subscribe(
  url: string,
  filterIds: readonly string[],
  count: number,
  sentAt: (candid: string) => number | undefined,
): Promise<Subscribers> {
  const received: number[] = new Array(count).fill(0);
  const faults: string[] = [];
  const clients: { dispose(): void | Promise<void> }[] = [];
  let latencies: number[] = [];
  let closing = false;
  const one = (n: number): Promise<void> =>
    new Promise((connected) => {
      const client = createClient({
        url: `${url.replace("http", "ws")}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        on: { connected: () => connected() },
      });
      clients.push(client);
      const fault = (why: string): void => void (closing || faults.push(`subscriber ${n}: ${why}`));
      client.subscribe<{ filterHits: { alert: { candid: string } } }>(
        { query: QUERY, variables: { ids: [filterIds[n % filterIds.length]!] } },
        {
          next({ data, errors }) {
            if (!data) return fault(JSON.stringify(errors));
            received[n]! += 1;
            const at = sentAt(data.filterHits.alert.candid);
            if (at !== undefined) latencies.push(Date.now() - at);
          },
          error: (error) => fault(error instanceof Error ? error.message : JSON.stringify(error)),
          complete: () => fault("completed"),
        },
      );
    });
  for (let n = 0; n < count; n += 1) await one(n);
  return {
    received,
    faults,
    latencies() {
      const told = latencies;
      latencies = [];
      return told;
    },
    async close() {
      closing = true;
      await Promise.all(clients.map((client) => client.dispose()));
    },
  };
}
