// Live hits of a filter, one a line, each once, through every break:  node subscribe.mjs FILTER_ID [CURSOR]
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const url = `${(process.env.TOCSIN_URL ?? "http://127.0.0.1:4000").replace("http", "ws")}/graphql`;
const token = process.env.TOCSIN_TOKEN;
const [filterId, cursor] = process.argv.slice(2);

const query = `subscription Hits($filterIds: [ID!]!, $after: String) {
  filterHits(filterIds: $filterIds, after: $after) { cursor passedAt annotations alert { candid objectId band magnitude } }
}`;

async function* hits(after) {
  // The client would send the same `after` again after a break, so its own retries are off.
  const connectionParams = token ? { authorization: `Bearer ${token}` } : {};
  const client = createClient({ url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 });
  for (;;) {
    try {
      for await (const { data, errors } of client.iterate({ query, variables: { filterIds: [filterId], after } })) {
        if (errors) throw errors;
        yield data.filterHits;
        after = data.filterHits.cursor;
      }
    } catch (error) {
      if (Array.isArray(error)) throw new Error(error[0].message); // the service refuses: unknown filter, bad cursor
      await pause(1_000); // restarted, or we read too slowly: go on behind the last hit
    }
  }
}

for await (const hit of hits(cursor)) console.log(JSON.stringify(hit));
