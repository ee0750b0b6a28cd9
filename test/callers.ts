// Callers of a service over HTTP and WebSocket with headers of their own, which keep what they were answered.
import { request } from "node:http";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export interface Caller {
  /** One request; what it was answered is kept in `heard`. */
  http(method: string, path: string, body?: string | null, headers?: Record<string, string>): Promise<Answer>;
  post(query: string, variables?: object): Promise<Answer>;
  /** A query over WebSocket: the text of its result. */
  overSocket(query: string, variables?: object): Promise<string>;
  /** The texts of a subscription's results, filled as they come. */
  subscribe(query: string, variables?: object): { readonly results: string[]; stop(): Promise<void> };
  /** Everything that this caller was ever answered. */
  readonly heard: Buffer[];
}

/** `base` is the service's address; `headers` go with every request and with the upgrade. */
export function caller(base: string, headers: Record<string, string> = {}): Caller {
  const heard: Buffer[] = [];
  const url = new URL(base);
  const http: Caller["http"] = (method, path, body = null, more = {}) =>
    new Promise((resolve, reject) => {
      const sent = request(
        { host: url.hostname, port: url.port, method, path, headers: { ...headers, ...more } },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            const whole = Buffer.concat(chunks);
            heard.push(whole, Buffer.from(JSON.stringify(response.headers)));
            resolve({ status: response.statusCode ?? 0, body: whole });
          });
          response.on("error", reject);
        },
      );
      sent.on("error", reject);
      sent.end(body ?? undefined);
    });

  class Socket extends WebSocket {
    constructor(address: string, protocols: string | string[]) {
      super(address, protocols, { headers });
      this.on("message", (data: Buffer) => heard.push(data));
    }
  }
  const connect = () =>
    createClient({ url: `ws://${url.host}/graphql`, webSocketImpl: Socket, retryAttempts: 0, lazy: true });

  return {
    heard,
    http,
    post: (query, variables = {}) =>
      http("POST", "/graphql", JSON.stringify({ query, variables }), { "content-type": "application/json" }),
    async overSocket(query, variables = {}) {
      const client = connect();
      try {
        return await new Promise<string>((resolve, reject) => {
          let text = "";
          client.subscribe(
            { query, variables: variables as Record<string, unknown> },
            {
              next: (result) => {
                text = JSON.stringify(result);
              },
              error: (errors) => (Array.isArray(errors) ? resolve(JSON.stringify({ errors })) : reject(errors)),
              complete: () => resolve(text),
            },
          );
        });
      } finally {
        await client.dispose();
      }
    },
    subscribe(query, variables = {}) {
      const client = connect();
      const results: string[] = [];
      client.subscribe(
        { query, variables: variables as Record<string, unknown> },
        {
          next: (result) => results.push(JSON.stringify(result)),
          error: (error) => results.push(`error ${JSON.stringify(error)}`),
          complete: () => {},
        },
      );
      return { results, stop: async () => client.dispose() };
    },
  };
}
