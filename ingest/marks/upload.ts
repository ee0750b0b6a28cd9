// A watch list as people have it: CSV, VOTable, FITS or Parquet with names, positions and radii, or plain lines of names or
// positions. Called by cli/ for uploads.
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { parsePosition } from "../../domain/angles.js";
import type { Block, Column } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import type { WatchedPositions } from "../../domain/mark.js";
import { badMark } from "../../domain/moc.js";
import type { Survey } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type { ObjectStore } from "../../stores/objects.store.js";
import { openTable } from "../catalogs/open.js";
import type { TableColumn, TableReader } from "../catalogs/table.js";

/** A million positions with names of 100 characters. */
const MAX_BYTES = 256 * 1024 ** 2;
/** Objects that are asked for at once. */
const IDS = 1_000;

const NAMED = {
  ra: ["ra", "raj2000", "ra_icrs", "_raj2000", "ra_deg", "radeg", "alpha_j2000", "right_ascension"],
  dec: ["dec", "de", "dej2000", "decj2000", "de_icrs", "_dej2000", "dec_deg", "decdeg", "delta_j2000", "declination"],
  name: ["name", "id", "objectid", "object_id", "main_id", "source_id", "designation", "target", "object"],
  radius: ["radiusarcsec", "radius_arcsec", "radius", "arcsec", "r"],
} as const;

export interface ListOptions {
  /** Of positions that tell none of their own. */
  readonly radiusArcsec: number;
  /** Whose objects the names are, where the file has no positions. */
  readonly survey: Survey | null;
}

export type ReadObjects = Pick<ObjectStore, "byIds">;

/** The positions of an uploaded file, in blocks. Throws BAD_MARK, BAD_CATALOG, TOO_LARGE. */
export async function* uploadedPositions(
  body: AsyncIterable<Uint8Array>,
  { radiusArcsec, survey }: ListOptions,
  viewer: Viewer,
  objects: ReadObjects,
): AsyncGenerator<WatchedPositions> {
  const folder = await mkdtemp(join(tmpdir(), "tocsin-watch-"));
  try {
    const path = join(folder, "list");
    await pipeline(withHeader(bounded(body)), createWriteStream(path));
    const reader = await openTable(path);
    try {
      yield* blocksOf(reader, radiusArcsec, survey, viewer, objects);
    } finally {
      await reader.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* bounded(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new TocsinError("TOO_LARGE", `A watch list may have ${MAX_BYTES / 1024 ** 2} MiB.`);
    yield chunk;
  }
}

/** Plain lines get the line of names that tables begin with. */
async function* withHeader(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of body) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < 4096) continue;
    yield Buffer.from(headerFor(head));
    yield head;
    head = null;
  }
  if (head !== null) {
    yield Buffer.from(headerFor(head));
    yield head;
  }
}

/** Name, position and radius, or Lasair's order with the position first, or one name a line; "" where it is a table. */
function headerFor(head: Buffer): string {
  const isBinary = head.includes(0) || (head[0] === 0x1f && head[1] === 0x8b);
  const text = head.toString("utf8").replace(/^\ufeff/, "");
  if (isBinary || /^\s*<|^SIMPLE {2}=|^PAR1|^#/.test(text)) return "";
  const line = text.split(/\r?\n/).find((one) => one.trim() !== "") ?? "";
  const delimiter = [",", "|", "\t", ";"].find((one) => line.includes(one)) ?? ",";
  const fields = line.split(delimiter).map((field) => field.trim().replace(/^"|"$/g, ""));
  const isAngle = (field: string | undefined) => field !== undefined && /^[+-]?\d[\d.:]*(e[+-]?\d+)?$/i.test(field);
  const orders = [
    ["name", "ra", "dec", "radius"],
    ["ra", "dec", "name", "radius"],
  ];
  for (const order of orders) {
    const [ra, dec] = [order.indexOf("ra"), order.indexOf("dec")];
    if (fields.length <= 4 && isAngle(fields[ra]) && isAngle(fields[dec])) {
      return `${order.slice(0, fields.length).join(delimiter)}\n`;
    }
  }
  const isHeader = Object.values(NAMED).some((names) =>
    (names as readonly string[]).includes(fields[0]!.toLowerCase()),
  );
  return fields.length === 1 && !isHeader ? "objectId\n" : "";
}

async function* blocksOf(
  reader: TableReader,
  radiusArcsec: number,
  survey: Survey | null,
  viewer: Viewer,
  objects: ReadObjects,
): AsyncGenerator<WatchedPositions> {
  const [ra, dec, name, radius] = [NAMED.ra, NAMED.dec, NAMED.name, NAMED.radius].map((names) =>
    chosen(reader.columns, names),
  );
  const wanted = [ra, dec, name, radius].flatMap((column) => (column === undefined ? [] : [column.name]));
  if ((ra === undefined) !== (dec === undefined) || (ra === undefined && name === undefined)) {
    const found = reader.columns.slice(0, 20).map((column) => column.name);
    throw badMark(`The watch list needs columns ra and dec, or one of objectIds; it has ${found.join(", ")}.`);
  }
  let row = 0;
  for await (const block of reader.blocks(wanted, 0)) {
    const texts = name && textsOf(block.columns.get(name.name)!);
    const radii = radius === undefined ? null : floatsOf(block.columns.get(radius.name)!);
    const radiusOf = Float32Array.from({ length: block.rows }, (_, n) => {
      const own = radii?.[n] ?? Number.NaN;
      return Number.isNaN(own) ? radiusArcsec : own;
    });
    if (ra === undefined) yield await placesOf(texts!, radiusOf, row, survey, viewer, objects);
    else {
      const names = texts ?? Array.from({ length: block.rows }, (_, n) => `${row + n + 1}`);
      yield { names, ...anglesOf(block, ra.name, dec!.name, row), radiusArcsec: radiusOf };
    }
    row += block.rows;
  }
}

const chosen = (columns: readonly TableColumn[], names: readonly string[]): TableColumn | undefined =>
  names.flatMap((name) => columns.filter((column) => column.name.toLowerCase() === name && column.type !== null))[0];

const textsOf = ({ values, nulls }: Column): string[] =>
  Array.from(values as ArrayLike<unknown>, (value, n) => (nulls?.[n] ? "" : String(value)));

const floatsOf = (column: Column): Float64Array =>
  Float64Array.from(column.values as ArrayLike<unknown>, (value, n) =>
    column.nulls?.[n] ? Number.NaN : Number(value),
  );

/** Degrees, or hours and degrees with colons as people type them. */
function anglesOf(block: Block, ra: string, dec: string, row: number): { ra: Float64Array; dec: Float64Array } {
  const columns = [block.columns.get(ra)!, block.columns.get(dec)!] as const;
  if (columns.every(({ type }) => type !== "String")) return { ra: floatsOf(columns[0]), dec: floatsOf(columns[1]) };
  const [ras, decs] = columns.map(textsOf);
  const places = ras!.map((text, n) => {
    try {
      return parsePosition(`${text} ${decs![n]}`);
    } catch (error) {
      throw badMark(`Position ${row + n + 1}: ${(error as Error).message}`);
    }
  });
  return { ra: Float64Array.from(places, (place) => place.ra), dec: Float64Array.from(places, (place) => place.dec) };
}

/** Where the archive's objects of these ids are. */
async function placesOf(
  ids: readonly string[],
  radiusArcsec: Float32Array,
  row: number,
  survey: Survey | null,
  viewer: Viewer,
  objects: ReadObjects,
): Promise<WatchedPositions> {
  if (survey === null)
    throw badMark("The watch list has names only: say of which survey they are objects (survey=ZTF).");
  const ra = new Float64Array(ids.length);
  const dec = new Float64Array(ids.length);
  for (let from = 0; from < ids.length; from += IDS) {
    const asked = ids.slice(from, from + IDS);
    const found = await objects.byIds(viewer, survey, asked);
    for (const [n, id] of asked.entries()) {
      const object = found.get(id);
      if (object === undefined)
        throw badMark(`Line ${row + from + n + 1}: there is no object ${survey} ${id.slice(0, 60)}.`);
      ra[from + n] = object.ra;
      dec[from + n] = object.dec;
    }
  }
  return { names: ids, ra, dec, radiusArcsec };
}
