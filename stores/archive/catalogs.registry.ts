// The registry of catalogs: one record for each revision, the last change counts. Called by catalogs.ts.
import type { Catalog } from "../../domain/catalog.js";
import { blockOf, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";

/** All revisions that were ever begun, by name and revision. */
export async function allRevisions(client: ArchiveClient): Promise<Catalog[]> {
  const block = await client.query("SELECT record FROM catalogs FINAL ORDER BY name, revision");
  return strings(block, "record").map((record) => JSON.parse(record) as Catalog);
}

/** Records as they are from now on; several at once are changed together. `changedAt` rises with every change of one. */
export async function record(client: ArchiveClient, catalogs: readonly Catalog[]): Promise<Catalog[]> {
  const changed = catalogs.map((catalog) => ({ ...catalog, changedAt: Math.max(Date.now(), catalog.changedAt + 1) }));
  const longs = (values: readonly number[]) => unsigned(BigUint64Array.from(values, BigInt));
  await client.insert(
    "catalogs",
    blockOf(changed.length, {
      name: texts(changed.map(({ name }) => name)),
      revision: longs(changed.map(({ revision }) => revision)),
      state: texts(changed.map(({ state }) => state)),
      changedAt: longs(changed.map(({ changedAt }) => changedAt)),
      record: texts(changed.map((catalog) => JSON.stringify(catalog))),
    }),
  );
  return changed;
}

/** The revision of each name that counts: the latest one that is active. */
export function activeOf(revisions: readonly Catalog[]): Catalog[] {
  const byName = new Map<string, Catalog>();
  for (const revision of revisions) {
    if (revision.state !== "active") continue;
    const known = byName.get(revision.name);
    if (known === undefined || known.revision < revision.revision) byName.set(revision.name, revision);
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
