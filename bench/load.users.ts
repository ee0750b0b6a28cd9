// A hundred users at once, by autocannon: each with a connection, an address and a list of queries of its own. Used by
// load.bench.ts.
import autocannon from "autocannon";
import { type Asked, type Kind, MIX, queriesOf } from "./load.queries.js";

export interface Load {
  readonly requestsPerSecond: number;
  /** Of answers with data, ms. */
  readonly p50: number;
  readonly p99: number;
  /** By kind of query. */
  readonly kinds: Readonly<Record<Kind, { readonly answers: number; readonly p50: number; readonly p99: number }>>;
  readonly answers: number;
  /** Answers without data, by code; and connections that were lost or timed out. */
  readonly failures: Readonly<Record<string, number>>;
  readonly bytesPerAnswer: number;
}

const QUERIES_OF_A_USER = 60;

/** @param url of the service, without path */
export async function loadWith(users: number, seconds: number, url: string, asked: Asked): Promise<Load> {
  const times: Record<Kind, number[]> = { object: [], alerts: [], cone: [], hits: [] };
  const failures: Record<string, number> = {};
  let bytes = 0;
  const failed = (code: string): void => {
    failures[code] = (failures[code] ?? 0) + 1;
  };
  let joined = 0;
  const result = await autocannon({
    url: `${url}/graphql`,
    connections: users,
    duration: seconds,
    timeout: 60,
    method: "POST",
    setupClient(client) {
      const user = joined++;
      // Counted as somebody of its own: the services trust the one proxy before them.
      const headers = {
        "content-type": "application/json",
        "x-forwarded-for": `10.1.${Math.floor(user / 250)}.${1 + (user % 250)}`,
      };
      let sentAt = 0;
      const requests = queriesOf(user, QUERIES_OF_A_USER, asked).map(({ kind, body }) => ({
        method: "POST" as const,
        path: "/graphql",
        headers,
        body,
        setupRequest(request: autocannon.Request): autocannon.Request {
          sentAt = performance.now();
          return request;
        },
        onResponse(status: number, text: string): void {
          if (status === 200 && !text.includes('"errors":[')) {
            times[kind].push(performance.now() - sentAt);
            bytes += text.length;
          } else failed(codeOf(status, text));
        },
      }));
      client.setRequests(requests);
    },
  });
  if (result.errors > 0) failures["connection lost"] = result.errors - result.timeouts;
  if (result.timeouts > 0) failures["no answer in 60 s"] = result.timeouts;
  const all = Object.values(times).flat();
  const kinds = Object.fromEntries(
    (Object.keys(MIX) as Kind[]).map((kind) => [
      kind,
      { answers: times[kind].length, p50: at(times[kind], 0.5), p99: at(times[kind], 0.99) },
    ]),
  ) as Load["kinds"];
  return {
    requestsPerSecond: all.length / result.duration,
    p50: at(all, 0.5),
    p99: at(all, 0.99),
    kinds,
    answers: all.length,
    failures,
    bytesPerAnswer: bytes / Math.max(1, all.length),
  };
}

function codeOf(status: number, text: string): string {
  const code = /"code":"(\w+)"/.exec(text)?.[1] ?? "no code";
  return `${status} ${code}`;
}

function at(values: number[], share: number): number {
  values.sort((a, b) => a - b);
  return values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}
