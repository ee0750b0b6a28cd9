// An insert that is fenced by a condition, from a process that freezes in the middle of sending it: what was true when the
// insert began and is not when the last byte comes must not let the rows in.
import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { bigints, blockOf, numbers, unsigned } from "./blocks.js";
import { connectArchive } from "./http.js";

let archive: TestArchive;
let proxy: Server;
/** The sender freezes before the last half of a request's body, until this is called. */
let thaw: (() => void) | null = null;

beforeAll(async () => {
  archive = await startTestArchive();
  proxy = createServer((near) => freezing(near, dial(Number(new URL(archive.url).port), "127.0.0.1")));
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  proxy?.close();
  await archive?.stop();
});

function freezing(near: Socket, far: Socket): void {
  let sent = Buffer.alloc(0);
  far.pipe(near);
  far.on("error", () => near.destroy());
  near.on("error", () => far.destroy());
  near.on("data", (bytes: Buffer) => {
    sent = Buffer.concat([sent, bytes]);
    const head = sent.indexOf("\r\n\r\n") + 4;
    const length = Number(/content-length: (\d+)/i.exec(sent.subarray(0, head).toString())?.[1]);
    if (head < 4 || sent.length < head + length) return;
    far.write(sent.subarray(0, head + length / 2));
    const rest = sent.subarray(head + length / 2);
    sent = Buffer.alloc(0);
    thaw = () => far.write(rest);
  });
}

test("the condition is looked at when all of the rows are there", async () => {
  const { client, url, user, password } = archive;
  await client.command("CREATE TABLE fence (epoch UInt64) ENGINE = MergeTree ORDER BY epoch");
  await client.command("CREATE TABLE fenced (seq UInt64) ENGINE = MergeTree ORDER BY seq");
  const begin = (epoch: bigint) => client.insert("fence", blockOf(1, { epoch: unsigned(BigUint64Array.of(epoch)) }));
  await begin(1n);

  const { port } = proxy.address() as { port: number };
  const slow = connectArchive({ url: url.replace(/:\d+/, `:${port}`), user, password, database: "tocsin" });
  const fence = { onlyIf: "(SELECT max(epoch) FROM fence) = {epoch:UInt64}", parameters: { epoch: 1n } };
  const rows = blockOf(1_000, { seq: unsigned(BigUint64Array.from({ length: 1_000 }, (_, n) => BigInt(n))) });
  const count = async () => bigints(await client.query("SELECT count() AS rows FROM fenced"), "rows")[0];
  const send = async () => {
    const inserted = slow.insert("fenced", rows, fence);
    while (thaw === null) await new Promise(setImmediate);
    // Long enough for a server that begins before it has everything.
    const running = "SELECT count() > 0 AS begun FROM system.processes WHERE query LIKE 'INSERT INTO `fenced`%'";
    for (let look = 0; look < 200; look += 1) if (numbers(await client.query(running), "begun")[0] === 1) break;
    return { inserted, finish: thaw };
  };

  const late = await send();
  await begin(2n);
  late.finish();
  await late.inserted;
  expect(await count()).toBe(0n);

  thaw = null;
  fence.parameters.epoch = 2n;
  const own = await send();
  own.finish();
  await own.inserted;
  expect(await count()).toBe(1_000n);
  await slow.close();
});
