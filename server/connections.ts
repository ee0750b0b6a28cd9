// The HTTP server with its bounds: how many connections, how many from one address, and how slow a request may come.
// Used by app.ts.
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Logger } from "pino";
import { TocsinError } from "../domain/errors.js";
import type { ServerLimits } from "./bounds.js";
import { network } from "./caller.js";
import { type HostSettings, isLoopback } from "./hosts.js";
import { Seats } from "./seats.js";

/** How often connections are looked at for their times. */
const CHECK_MS = 1_000;

export function boundedServer(
  limits: Pick<ServerLimits, "connections" | "trustedProxies">,
  listener: RequestListener,
): Server {
  const { max, perAddress, headersMs, requestMs, idleMs } = limits.connections;
  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: CHECK_MS,
    },
    listener,
  );
  server.maxConnections = max;
  // Connections of a proxy are everybody's.
  if (limits.trustedProxies === 0) {
    const seats = new Seats();
    server.on("connection", (socket: Socket) => {
      const address = socket.remoteAddress ?? "";
      if (isLoopback(address)) return;
      const key = network(address);
      if (seats.take(key, perAddress)) socket.once("close", () => seats.leave(key));
      else socket.destroy();
    });
  }
  return server;
}

/** Resolves with the port. Throws PORT_TAKEN, BAD_SETTING. */
export function listen(
  server: Server,
  { host, port }: Pick<HostSettings, "host"> & { readonly port: number },
  log: Logger,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(
        taken
          ? new TocsinError("PORT_TAKEN", `Another program listens on port ${port} of ${host}.`)
          : new TocsinError("BAD_SETTING", `HOST=${host} with PORT=${port} cannot be used: ${error.message}.`),
      );
    };
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      server.on("error", (error) => log.error({ err: error }, "a connection could not be accepted"));
      resolve((server.address() as AddressInfo).port);
    });
  });
}
