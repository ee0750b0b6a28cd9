// The other side of bench/fanout: a process of graphql-ws clients that counts what arrives and how late. Forked by it.
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";

const [url, clients, hits, query] = [
  process.argv[2]!,
  Number(process.argv[3]),
  Number(process.argv[4]),
  process.argv[5]!,
];
const latencies: number[] = [];
let inOrder = 0;

/** Connections that are made at the same time. */
const AT_ONCE = 50;

function subscribe(connected: () => void): void {
  const client = createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: process.env.BENCH_AUTHORIZATION },
    retryAttempts: 0,
    on: { connected },
  });
  let last = "";
  client.subscribe<{ filterHits: { passedAt: string; alert: { candid: string } } }>(
    { query },
    {
      next({ data }) {
        const { passedAt, alert } = data!.filterHits;
        latencies.push(Date.now() - Date.parse(passedAt));
        if (alert.candid > last) inOrder += 1;
        last = alert.candid;
        if (latencies.length === clients * hits) process.send!({ latencies, inOrder });
      },
      error: (error) => {
        console.error(error);
        process.exit(1);
      },
      complete: () => {},
    },
  );
}

process.on("disconnect", () => process.exit());
for (let made = 0; made < clients; made += AT_ONCE) {
  const count = Math.min(AT_ONCE, clients - made);
  await Promise.all(Array.from({ length: count }, () => new Promise<void>(subscribe)));
}
