// Catalogs that callers send over HTTP: whole, in pieces, by callers without rights, broken files; on a real archive.
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import type { Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import express from "express";
import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createCatalogs } from "../cli/catalogs.js";
import { createKeeper, type Keeper } from "../cli/catalogs.keeper.js";
import { createUploads } from "../cli/catalogs.uploads.js";
import type { Viewer } from "../domain/viewer.js";
import { createClaims } from "../ingest/claims.js";
import { catalogRoutes } from "../server/catalogs.js";
import { failing } from "../server/failing.js";
import { createFaults } from "../server/faults.js";
import { ArchiveCatalogs } from "../stores/archive/catalogs.js";
import { up } from "../stores/archive/migrations/0010-catalogs.js";
import { startTestArchive, type TestArchive } from "./archive.js";

let archive: TestArchive;
let store: ArchiveCatalogs;
let keeper: Keeper;
let folder: string;
let server: Server;
let url: string;
let mayChange = true;

beforeAll(async () => {
  archive = await startTestArchive();
  await up(archive.client);
  store = await ArchiveCatalogs.open(archive.client);
  folder = await mkdtemp(join(tmpdir(), "tocsin-uploads-"));
  keeper = createKeeper(createCatalogs(store, createClaims(null)), folder, createUploads(join(folder, "uploads")));
  const app = express();
  app.use(catalogRoutes(keeper, () => ({ scope: "owner", programids: new Map(), mayChange }) satisfies Viewer));
  app.use(failing(createFaults(pino({ level: "silent" }))));
  server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 60_000);
afterAll(async () => {
  server?.close();
  await keeper?.close();
  await archive?.stop();
  await rm(folder, { recursive: true, force: true });
});

const rows = (count: number): string =>
  [
    "name,ra,dec,z,DIAM,BA,PA",
    ...Array.from({ length: count }, (_, n) => `g${n},${n / 10},${n / 100},0.0${n},3,0.5,20`),
  ].join("\n");

async function put(path: string, body: string | Uint8Array<ArrayBuffer> = rows(3)) {
  const response = await fetch(`${url}/catalogs/${path}`, { method: "PUT", body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const refused = async (path: string, body?: string) => {
  const { status, body: told } = await put(path, body);
  const [error] = (told as { errors: { message: string; extensions: { code: string } }[] }).errors;
  return `${status} ${error!.extensions.code} ${error!.message}`;
};
const sent = async (): Promise<string[]> =>
  existsSync(join(folder, "uploads")) ? readdir(join(folder, "uploads")) : [];
const active = (name: string) => store.active().find((one) => one.name === name);

it("are there when the answer is, with all that was said of them", async () => {
  const said = "radius=60&rule=redshift:z&near=20&ellipse=DIAM:BA:PA:30&id=name&columns=z,DIAM,BA,PA&version=3&limit=2";
  const { status, body } = await put(`mine?${said}`, gzipSync(rows(9)));
  expect([status, body]).toMatchObject([200, { name: "mine", finished: true, error: null, sources: 9 }]);
  expect(active("mine")).toMatchObject({
    ...{ version: "3", radiusArcsec: 60, limit: 2, rows: 9, revision: 1 },
    rule: {
      kind: "distance",
      by: "redshift",
      column: "z",
      kpc: 30,
      nearArcsec: 20,
      ellipse: { axis: "DIAM", arcsec: 30 },
    },
  });
  expect(await sent()).toEqual([]);
  const again = await put(`mine?${said}`, rows(4));
  expect(again.body).toMatchObject({ finished: true, sources: 4 });
  expect(active("mine")).toMatchObject({ revision: 2, rows: 4 });
});

it("come in pieces that are put together, each where the one before ended", async () => {
  const bytes = Buffer.from(rows(50));
  const piece = (offset: number, end: number) =>
    put(`pieces?radius=2&offset=${offset}${end < bytes.length ? "&more=true" : ""}`, bytes.subarray(offset, end));
  expect(await piece(0, 100)).toEqual({ status: 200, body: { name: "pieces", bytes: 100 } });
  expect(active("pieces")).toBeUndefined();
  expect(await piece(100, 700)).toMatchObject({ body: { bytes: 700 } });
  expect(await refused("pieces?radius=2&offset=100&more=true")).toMatch(
    /^400 BAD_ARGUMENT 700 bytes of the file are here/,
  );
  expect((await piece(700, bytes.length)).body).toMatchObject({ finished: true, sources: 50, bytes: bytes.length });
  expect(active("pieces")!.rows).toBe(50);
});

it("go on after a connection that broke", async () => {
  const bytes = Buffer.from(rows(50));
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  const head = `PUT /catalogs/broken?radius=2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  socket.write(Buffer.concat([Buffer.from(head), bytes.subarray(0, 300)]));
  await expect.poll(sent).toEqual(["broken"]);
  await expect.poll(() => refused("broken?radius=2&offset=7")).toMatch(/LOAD_IN_PROGRESS/);
  socket.destroy();
  await expect
    .poll(() => refused("broken?radius=2&offset=7"), { timeout: 10_000 })
    .toMatch(/^400 BAD_ARGUMENT 300 bytes of the file are here/);
  const rest = await put("broken?radius=2&offset=300", bytes.subarray(300));
  expect(rest.body).toMatchObject({ finished: true, sources: 50 });
});

it("tell what is wrong, and leave nothing behind", async () => {
  mayChange = false;
  expect(await refused("bad?radius=2")).toMatch(/^401 NOT_ALLOWED/);
  mayChange = true;
  expect(await refused("bad")).toMatch(/^422 BAD_CATALOG .*radius must be told/);
  expect(await refused("Bad.name?radius=2")).toMatch(/^422 BAD_CATALOG/);
  expect(await refused("..%2Fbad?radius=2")).toMatch(/^422 BAD_CATALOG/);
  expect(await refused("bad?radius=wide")).toMatch(/^400 BAD_ARGUMENT radius must be a number/);
  expect(await refused("bad?radius=2&colour=red")).toMatch(/^400 BAD_ARGUMENT There is no "colour"/);
  expect(await refused("bad?radius=2&offset=-1")).toMatch(/^400 BAD_ARGUMENT offset/);
  expect(await refused("bad?radius=2&more=perhaps")).toMatch(/^400 BAD_ARGUMENT more/);
  expect(await sent()).toEqual([]);
  expect(await refused("bad?radius=2&ra=nope")).toMatch(/^422 BAD_CATALOG .*no column named nope/);
  expect(await refused("bad?radius=2", "no table at all")).toMatch(/^422 BAD_CATALOG/);
  expect(await sent()).toEqual([]);
  expect(active("bad")).toBeUndefined();
  expect(keeper.loads().at(-1)).toMatchObject({ name: "bad", finished: true, error: expect.any(String) });
});

it("do not leave pieces for ever", async () => {
  await put("forgotten?radius=2&more=true");
  await put("kept?radius=2&more=true");
  expect(await sent()).toEqual(["forgotten", "kept"]);
  const yesterday = Date.now() / 1000 - 25 * 3_600;
  await utimes(join(folder, "uploads", "forgotten"), yesterday, yesterday);
  await put("other?radius=2");
  expect(await sent()).toEqual(["kept"]);
  // Another process goes on with what is there.
  const next = createUploads(join(folder, "uploads"));
  const bytes = await next.receive("kept", Buffer.byteLength(rows(3)), Readable.from([Buffer.from("\n")]));
  expect(bytes).toBe(Buffer.byteLength(rows(3)) + 1);
});

it.each(["..%2Fout", "..%2F..%2Fout", "a%2Fb", "%2E%2E%2Fout"])(
  "of a name that is no catalog's (%s) are not written anywhere",
  async (name) => {
    const before = [await readdir(folder), await sent()];
    expect(await refused(`${name}?radius=2`)).toMatch(/BAD_CATALOG/);
    expect([await readdir(folder), await sent()]).toEqual(before);
    expect(existsSync(join(folder, "..", "out"))).toBe(false);
  },
);
