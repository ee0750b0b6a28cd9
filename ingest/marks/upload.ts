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
/** Bytes by which plain lines are told from tables. */
const HEAD = 4096;
/** Objects that are asked for at once. */
const IDS = 1_000;

const NAMED = {
  ra: ["ra", "raj2000", "ra_icrs", "_raj2000", "_ra", "ra_deg", "radeg", "alpha_j2000", "right_ascension"],
  dec: [
    ...["dec", "de", "dej2000", "decj2000", "de_icrs", "_dej2000", "_de", "dec_deg", "decdeg", "dedeg"],
    ...["delta_j2000", "declination"],
  ],
  name: ["name", "id", "objectid", "object_id", "main_id", "source_id", "designation", "target", "object"],
  radius: ["radiusarcsec", "radius_arcsec", "radius", "arcsec"],
} as const;
/** Arcsec in the units that files tell of a radius. */
const ARCSEC_IN: Readonly<Record<string, number>> = {
  ...{ arcsec: 1, arcseconds: 1, '"': 1, mas: 1e-3, arcmin: 60, arcminutes: 60, "'": 60 },
  ...{ deg: 3600, degree: 3600, degrees: 3600 },
};

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
    if (head.length < HEAD) continue;
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
  const lines = text.split(/\r?\n/);
  const line = lines.find((one) => one.trim() !== "") ?? "";
  const delimiter = [",", "|", "\t", ";"].find((one) => line.includes(one)) ?? ",";
  const fieldsOf = (line: string) => line.split(delimiter).map((field) => field.trim().replace(/^"|"$/g, ""));
  const fields = fieldsOf(line);
  if (fields.length === 1 && isPlace(...line.trim().split(/\s+/))) {
    throw badMark("A line holds a position without a comma or a bar in it: write ra, dec or name, ra, dec.");
  }
  const orders = [
    ["name", "ra", "dec", "radius"],
    ["ra", "dec", "name", "radius"],
  ].filter((order) => fields.length <= order.length && placeIn(order, fields).every(isAngle));
  if (orders.length > 0) {
    // Where names are numbers, the lines that can be read in one order only decide; the last one may be cut off.
    const whole = head.length < HEAD ? lines : lines.slice(0, -1);
    const counts = orders.map((order) => whole.filter((one) => isPlace(...placeIn(order, fieldsOf(one)))).length);
    if (counts.length > 1 && counts[0] === counts[1]) {
      const remedy = "put a first line that says which: name,ra,dec or ra,dec,name";
      throw badMark(`Its lines may be name, ra, dec as well as ra, dec, name: ${remedy}.`);
    }
    return `${orders[counts.indexOf(Math.max(...counts))]!.slice(0, fields.length).join(delimiter)}\n`;
  }
  const isHeader = Object.values(NAMED).some((names) =>
    (names as readonly string[]).includes(fields[0]!.toLowerCase()),
  );
  return fields.length === 1 && !isHeader ? "objectId\n" : "";
}

const placeIn = (order: readonly string[], fields: readonly string[]) =>
  [fields[order.indexOf("ra")], fields[order.indexOf("dec")]] as const;

const isAngle = (field: string | undefined): boolean =>
  field !== undefined && /^[+-]?\d[\d.:hdms\s]*(e[+-]?\d+)?$/i.test(field);

/** Degrees or sexagesimal, within their ranges. */
function isPlace(ra = "", dec = "", ...more: readonly string[]): boolean {
  if (more.length > 0 || ra === "" || dec === "") return false;
  const [x, y] = [Number(ra), Number(dec)];
  if (Math.abs(x) <= 360 && Math.abs(y) <= 90) return true;
  try {
    parsePosition(`${ra} ${dec}`);
    return true;
  } catch {
    return false;
  }
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
    const radii = radius === undefined ? null : arcsecOf(block.columns.get(radius.name)!, radius);
    const radiusOf = Float32Array.from({ length: block.rows }, (_, n) => {
      const own = radii?.[n] ?? Number.NaN;
      return Number.isNaN(own) ? radiusArcsec : own;
    });
    if (ra === undefined) yield await placesOf(texts!, radiusOf, row, survey, viewer, objects);
    else {
      const names = texts ?? Array.from({ length: block.rows }, (_, n) => `${row + n + 1}`);
      yield { names, ...anglesOf(block, ra, dec!, row), radiusArcsec: radiusOf };
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

const unitOf = ({ unit }: TableColumn): string => unit?.trim().toLowerCase() ?? "";

function arcsecOf(values: Column, column: TableColumn): Float64Array {
  const unit = unitOf(column);
  const factor = unit === "" ? 1 : ARCSEC_IN[unit];
  if (factor === undefined) throw badMark(`The column ${column.name} is in ${column.unit}; a radius is in arcsec.`);
  return floatsOf(values).map((value) => value * factor);
}

/** Degrees, or hours and degrees with colons as people type them. */
function anglesOf(
  block: Block,
  ra: TableColumn,
  dec: TableColumn,
  row: number,
): { ra: Float64Array; dec: Float64Array } {
  const columns = [block.columns.get(ra.name)!, block.columns.get(dec.name)!] as const;
  if (columns.every(({ type }) => type !== "String")) {
    const isHours = /^(h|hr|hrs|hour|hours|hourangle)$/.test(unitOf(ra));
    for (const column of isHours ? [dec] : [ra, dec]) {
      if (/^(|deg.*|°)$/.test(unitOf(column))) continue;
      throw badMark(`The column ${column.name} is in ${column.unit}; positions are in degrees.`);
    }
    return { ra: floatsOf(columns[0]).map((value) => (isHours ? 15 * value : value)), dec: floatsOf(columns[1]) };
  }
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
