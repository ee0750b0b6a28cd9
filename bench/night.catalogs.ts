// The two catalogs that the night is matched with: galaxies by their distance, and points within 2 arcsec, random over the
// whole sky. Called by night.bench.ts before the service starts.
import type { CatalogDescription } from "../domain/catalog.js";
import type { Block, Column } from "../domain/columns.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { blockOf, floats, signed } from "../stores/archive/blocks.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import type { CatalogStore } from "../stores/catalogs.store.js";
import type { TestArchive } from "../test/archive.js";
import { random } from "./random.js";

const BLOCK_ROWS = 500_000;

const COMMON = {
  source: null,
  version: "1",
  date: null,
  licence: null,
  citation: null,
  limit: null,
  idType: "Int64",
  epoch: null,
  epochGiven: null,
} as const;

const GALAXIES: CatalogDescription = {
  ...COMMON,
  name: "galaxies",
  title: "Simulated galaxies",
  radiusArcsec: 300,
  rule: { kind: "distance", by: "redshift", column: "z", kpc: 30, nearArcsec: 300 },
  columns: [
    { name: "z", type: "Float32", unit: null, description: "Redshift." },
    { name: "mag", type: "Float32", unit: "mag", description: "Magnitude." },
  ],
};

const POINTS: CatalogDescription = {
  ...COMMON,
  name: "points",
  title: "Simulated point sources",
  radiusArcsec: 2,
  rule: { kind: "radius" },
  columns: [
    { name: "mag", type: "Float32", unit: "mag", description: "Magnitude." },
    { name: "parallax", type: "Float32", unit: "mas", description: "Parallax." },
  ],
};

/** Both are active when this resolves. Their names with their numbers of sources. */
export async function fillCatalogs(
  { client }: TestArchive,
  { galaxies, points }: { readonly galaxies: number; readonly points: number },
): Promise<string[]> {
  const { catalogs } = await createArchiveStores(
    client,
    SURVEYS.map(({ description }) => description),
  );
  const next = random(7);
  // Redshifts of a volume: near ones, whose circles are wide, are rare.
  await fill(catalogs, GALAXIES, galaxies, () => [0.2 * Math.cbrt(next()), 14 + 6 * next()], next);
  await fill(catalogs, POINTS, points, () => [12 + 9 * next(), 5 * next()], next);
  return [`${galaxies} galaxies`, `${points} points`];
}

async function fill(
  store: CatalogStore,
  description: CatalogDescription,
  rows: number,
  values: () => readonly number[],
  next: () => number,
): Promise<void> {
  const file = { name: `${description.name}.csv`, bytes: 0, sha256: "" };
  const catalog = await store.begin(description, [file]);
  const progress = (read: number, files: number) => ({
    ...{ files, rowsOfFile: files === 1 ? 0 : read, rowsRead: read, rejected: 0, rejectedRows: [] },
  });
  for (let from = 0; from < rows; from += BLOCK_ROWS) {
    const length = Math.min(BLOCK_ROWS, rows - from);
    await store.append(catalog, block(description, from, length, values, next), progress(from + length, 0));
  }
  await store.activate(catalog, progress(rows, 1));
}

function block(
  { columns }: CatalogDescription,
  from: number,
  rows: number,
  values: () => readonly number[],
  next: () => number,
): Block {
  const [ra, dec] = [new Float64Array(rows), new Float64Array(rows)];
  const own = columns.map(() => new Float32Array(rows));
  for (let row = 0; row < rows; row += 1) {
    ra[row] = 360 * next();
    dec[row] = (Math.asin(2 * next() - 1) * 180) / Math.PI;
    values().forEach((value, column) => {
      own[column]![row] = value;
    });
  }
  const id = signed(BigInt64Array.from({ length: rows }, (_, row) => BigInt(from + row)));
  const kept = own.map((of, column): [string, Column] => [
    columns[column]!.name,
    { type: "Float32", values: of, nulls: null },
  ]);
  return blockOf(rows, { id, ra: floats(ra), dec: floats(dec), ...Object.fromEntries(kept) });
}
