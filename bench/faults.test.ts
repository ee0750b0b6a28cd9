// The fault runner's own parts: what it compares by can fail, and its cables do what they say. Run by vitest.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { until } from "../test/until.js";
import { Cable } from "./faults.cable.js";
import { compared, holds } from "./faults.compare.js";

test("what is lost, doubled or not due is told", () => {
  expect(holds(compared("same", ["a", "b"], ["b", "a"]))).toBe(true);
  expect(compared("all of it", ["a", "b", "c"], ["b", "b", "d"])).toEqual({
    what: "all of it",
    due: 3,
    found: 3,
    lost: 2,
    doubled: 1,
    wrong: ["lost: a", "lost: c", "2×: b", "not due: d"],
  });
  expect(holds(compared("more", ["a"], ["a", "d"]))).toBe(false);
  expect(holds(compared("in disorder", ["a"], ["a"], ["not in order"]))).toBe(false);
});

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server that answers each byte with its name. */
async function answering(name: string): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => socket.on("error", () => {}).on("data", () => socket.write(name)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, server };
}
async function caller(port: number): Promise<{ socket: Socket; heard: () => string }> {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  let heard = "";
  socket.on("data", (bytes) => {
    heard += bytes;
  });
  closers.push(() => socket.destroy());
  await once(socket, "connect");
  return { socket, heard: () => heard };
}

test("a cable is stalled, cut and mended", async () => {
  const cable = new Cable([(await answering("x")).port]);
  const port = await cable.open();
  closers.push(() => cable.close());
  const one = await caller(port);
  one.socket.write(".");
  await until("an answer", () => one.heard() === "x");
  cable.stall();
  const other = await caller(port);
  for (const { socket } of [one, other]) socket.write(".");
  const from = performance.now();
  await until("a tenth of a second", () => performance.now() - from > 100);
  expect([one.heard(), other.heard()]).toEqual(["x", ""]);
  cable.mend();
  await until("the answers", () => one.heard() === "xx" && other.heard() === "x");
  cable.cut();
  await until("the end", () => one.socket.destroyed && other.socket.destroyed);
  const late = await caller(port);
  await until("the end of one that came later", () => late.socket.destroyed);
  cable.mend();
  const again = await caller(port);
  again.socket.write(".");
  await until("an answer", () => again.heard() === "x");
});

test("one address: in turn, and the other one where one is gone", async () => {
  const [a, b] = [await answering("a"), await answering("b")];
  const cable = new Cable([a.port, b.port]);
  const port = await cable.open();
  closers.push(() => cable.close());
  const names = async (): Promise<string[]> => {
    const callers = [await caller(port), await caller(port)];
    for (const { socket } of callers) socket.write(".");
    await until("both answers", () => callers.every(({ heard }) => heard() !== ""));
    for (const { socket } of callers) socket.destroy();
    return callers.map(({ heard }) => heard()).sort();
  };
  expect(await names()).toEqual(["a", "b"]);
  await new Promise((resolve) => a.server.close(resolve));
  expect(await names()).toEqual(["b", "b"]);
});
