// Bounds of connections: how many, how many from one address, and how slowly a request may come.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { until } from "../test/until.js";
import { type MemoryService, startMemoryService } from "./memory.fixture.js";

let service: MemoryService;
const opened: Socket[] = [];
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy();
  await service.close();
});

/** A raw connection; `text` is what the service has said, `closed` whether it has ended. */
async function open(host = "127.0.0.1") {
  const socket = connect(service.port, host);
  opened.push(socket);
  const seen = { socket, text: "", closed: false };
  socket.on("data", (data) => {
    seen.text += String(data);
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    seen.closed = true;
  });
  await once(socket, "connect");
  return seen;
}
const REQUEST =
  "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n";

describe("a connection", () => {
  it("is closed when its headers, or its body, come too slowly", async () => {
    service = await startMemoryService({ limits: { connections: { headersMs: 300, requestMs: 600 } } });
    const [headers, body] = [await open(), await open()];
    headers.socket.write("POST /graphql HTTP/1.1\r\nHost: localhost\r\n");
    body.socket.write(`${REQUEST}{"query":`);
    await until("the end of both", () => headers.closed && body.closed);
    expect(headers.text).toMatch(/^HTTP\/1.1 408 /);
    expect(body.text).toMatch(/^HTTP\/1.1 408 /);
  });

  it("is closed when it is kept without a request, and answers the quick ones", async () => {
    service = await startMemoryService({ limits: { connections: { idleMs: 200 } } });
    const idle = await open();
    idle.socket.write(`${REQUEST}{"query":"{__typename}"}\n`);
    await until("the answer", () => idle.text.includes('"__typename":"Query"'));
    await until("the end", () => idle.closed);
  });

  it("beyond the most is not taken", async () => {
    service = await startMemoryService({ limits: { connections: { max: 2 } } });
    await open();
    await open();
    const third = await open();
    await until("its end", () => third.closed);
  });

  const address = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === "IPv4" && !one.internal)?.address;
  it.skipIf(address === undefined)("beyond those of its address is not taken; others are", async () => {
    const limits = { connections: { perAddress: 2 } };
    service = await startMemoryService({ host: "0.0.0.0", token: "a-token-for-tests", limits });
    const first = await open(address);
    await open(address);
    const third = await open(address);
    await until("its end", () => third.closed);
    expect((await fetch(`${service.url}/health`)).status).toBe(200);
    first.socket.destroy();
    await once(first.socket, "close");
    await until("a place", () => first.closed);
    for (;;) {
      const next = await open(address);
      next.socket.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await until("an answer", () => next.closed || next.text !== "");
      if (next.text !== "") break;
    }
  });
});
