// Free ports of 127.0.0.1 for servers that keep theirs over restarts. Called by the servers' files.
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { TocsinError } from "../../domain/errors.js";

/**
 * Below the range from which systems take the ports of outgoing connections (Linux from 32768): there a client that
 * knocks at the port of a server that is down gets that very port itself one day, and the server never gets it back.
 */
const [FIRST, LAST] = [20_000, 32_000];
const TRIES = 1_000;

async function listens(port: number): Promise<Server | null> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  } catch {
    return null;
  }
}

/** So many different ports at which nobody listens. */
export async function freePorts(count: number): Promise<number[]> {
  const held: { port: number; server: Server }[] = [];
  for (let i = 0; held.length < count && i < TRIES; i += 1) {
    const port = randomInt(FIRST, LAST);
    const server = await listens(port);
    if (server !== null) held.push({ port, server });
  }
  await Promise.all(held.map(({ server }) => new Promise((done) => server.close(done))));
  if (held.length < count) throw new TocsinError("PORT_TAKEN", `Nearly all ports from ${FIRST} to ${LAST} are taken.`);
  return held.map(({ port }) => port);
}

/** Throws unless somebody accepts connections there. */
export async function knock(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}
