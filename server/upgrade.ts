// From an HTTP upgrade to a WebSocket: path, host and numbers of sockets are checked before anything is accepted, and all
// sockets end together. Used by websocket.ts.
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocketServer } from "ws";
import { type ErrorCode, TocsinError } from "../domain/errors.js";

const STATUS: Partial<Record<ErrorCode, string>> = {
  FORBIDDEN_HOST: "403 Forbidden",
  NOT_FOUND: "404 Not Found",
  TOO_MANY_SUBSCRIPTIONS: "503 Service Unavailable",
};

export interface UpgradeRules {
  readonly path: string;
  readonly maxSockets: number;
  /** Throws FORBIDDEN_HOST. */
  readonly checkHost: (request: IncomingMessage) => void;
  /** Throws TOO_MANY_SUBSCRIPTIONS where the caller may open no further socket. */
  readonly takeSeat: (request: IncomingMessage, raw: Duplex) => void;
}

/** Lets the server's upgrade requests through to `sockets`; the function stops that. */
export function acceptUpgrades(server: Server, sockets: WebSocketServer, rules: UpgradeRules): () => void {
  const onUpgrade = (request: IncomingMessage, raw: Duplex, head: Buffer): void => {
    raw.on("error", () => raw.destroy()); // a peer that goes away in the middle of the handshake
    try {
      check(request, sockets, rules);
      rules.takeSeat(request, raw);
    } catch (error) {
      refuse(raw, error);
      return;
    }
    sockets.handleUpgrade(request, raw, head, (socket) => sockets.emit("connection", socket, request));
  };
  server.on("upgrade", onUpgrade);
  return () => server.off("upgrade", onUpgrade);
}

function check(request: IncomingMessage, sockets: WebSocketServer, rules: UpgradeRules): void {
  if (request.url?.split("?")[0] !== rules.path) {
    throw new TocsinError("NOT_FOUND", `WebSockets are served at ${rules.path} only.`);
  }
  rules.checkHost(request);
  if (sockets.clients.size >= rules.maxSockets) {
    throw new TocsinError("TOO_MANY_SUBSCRIPTIONS", `The service has ${sockets.clients.size} sockets, its limit.`);
  }
}

function refuse(raw: Duplex, error: unknown): void {
  const known = error instanceof TocsinError ? error : new TocsinError("INTERNAL", "The socket could not be opened.");
  const { code, message, remedy } = known;
  const body = JSON.stringify({ errors: [{ message, extensions: { code, remedy } }] });
  const head = `HTTP/1.1 ${STATUS[code] ?? "500 Internal Server Error"}\r\nConnection: close\r\n`;
  raw.end(`${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** Waits for the clients' side of a close; after `waitMs` the sockets are cut. */
export async function closeAll(
  sockets: WebSocketServer,
  close: () => Promise<void> | void,
  waitMs: number,
): Promise<void> {
  const timer = setTimeout(() => {
    for (const socket of sockets.clients) socket.terminate();
  }, waitMs);
  await close();
  clearTimeout(timer);
}
