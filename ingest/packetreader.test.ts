// Packets read back from real segment files: all fields as fastavro has them, cutouts, and what a viewer may not see.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Packet } from "../domain/packet.js";
import type { Viewer } from "../domain/viewer.js";
import { openPacketStore } from "../stores/packets/segments.js";
import type { PacketLocation, PacketReader, PacketStore } from "../stores/packets.store.js";
import { readContainer } from "./avro/container.js";
import { avroFiles, fastavroRecords, hasFastavro } from "./avro/truth.fixture.js";
import { createPacketReader } from "./packetreader.js";

const files = [...avroFiles("ztf").slice(10, 14), ...avroFiles("lsst/v11_0")];
const packets = files.flatMap((path) => [...readContainer(readFileSync(path), path)]) as Packet[];
const owner: Viewer = {
  scope: "owner",
  programids: new Map([
    ["ZTF", "all"],
    ["LSST", "all"],
  ]),
  mayChange: true,
};

let dir: string;
let store: PacketStore;
let locations: PacketLocation[];
let reader: PacketReader;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "tocsin-packets-"));
  store = await openPacketStore({ dir });
  locations = await store.append(packets);
  // The archive's part: candid (here: the number of the packet) to its place, for a viewer who may see the alert.
  const packetLocations = (viewer: Viewer, _survey: string, candids: readonly bigint[]) => {
    const seen = viewer.mayChange ? candids.filter((candid) => locations[Number(candid)]) : [];
    return Promise.resolve(new Map(seen.map((candid) => [candid, locations[Number(candid)]!])));
  };
  reader = createPacketReader({ alerts: { packetLocations }, packets: store });
});
afterAll(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

const survey = (i: number) => (files[i]!.includes("lsst") ? "LSST" : "ZTF");

test.skipIf(!hasFastavro)("all fields but the cutouts (needs Python with fastavro)", async () => {
  const truth = fastavroRecords(files).flat();
  for (const i of files.keys()) {
    const wanted = Object.entries(truth[i]!).filter(([name]) => !name.startsWith("cutout"));
    const fields = await reader.fields(owner, survey(i), BigInt(i));
    expect(fields).toEqual(Object.fromEntries(wanted));
    expect(JSON.parse(JSON.stringify(fields))).toEqual(fields);
  }
});

test("64-bit integers are decimal text", async () => {
  const fields = (await reader.fields(owner, "ZTF", 0n)) as {
    candid: unknown;
    candidate: { pid: unknown; fid: unknown };
  };
  expect(fields.candid).toMatch(/^\d{19}$/);
  expect(fields.candidate.pid).toMatch(/^\d+$/);
  expect(typeof fields.candidate.fid).toBe("number");
});

test("cutouts as FITS; null for an unknown alert, an alert without, and a viewer without rights", async () => {
  const fits = await reader.cutout(owner, "ZTF", 0n, "difference");
  expect(Buffer.from(fits!.subarray(0, 9)).toString()).toBe("SIMPLE  =");
  expect(fits!.length % 2880).toBe(0);
  expect(await reader.cutout(owner, "ZTF", 99n, "difference")).toBeNull();
  expect(await reader.fields(owner, "ZTF", 99n)).toBeNull();
  expect(await reader.fields({ ...owner, mayChange: false }, "ZTF", 0n)).toBeNull();
  expect(await reader.cutout({ ...owner, mayChange: false }, "ZTF", 0n, "science")).toBeNull();
});
