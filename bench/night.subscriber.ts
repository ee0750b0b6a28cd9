// One live subscriber as a process of its own, which notes when each hit arrives. Forked by night.bench.ts.
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";

/** Every half a second's hits: candid, and ms since 1970 at which the message was there. */
export type Arrivals = readonly (readonly [candid: string, at: number])[];

const [url, ...filterIds] = process.argv.slice(2);
const QUERY = `subscription ($ids: [ID!]!) { filterHits(filterIds: $ids) { cursor filterId annotations alert {
  candid objectId time ra dec band magnitude magnitudeError } } }`;
const TELL_MS = 500;

process.on("disconnect", () => process.exit());
const client = createClient({ url: url!.replace("http", "ws"), webSocketImpl: WebSocket, retryAttempts: 0 });
let arrived: [string, number][] = [];
client.subscribe<{ filterHits: { alert: { candid: string } } }>(
  { query: QUERY, variables: { ids: filterIds } },
  {
    next({ data }) {
      arrived.push([data!.filterHits.alert.candid, Date.now()]);
    },
    error(error) {
      console.error(error);
      process.exit(1);
    },
    complete: () => {},
  },
);
setInterval(() => {
  if (arrived.length > 0) process.send!(arrived);
  arrived = [];
}, TELL_MS);
