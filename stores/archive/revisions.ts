// Registries of what is loaded in revisions (catalogs, archives of light curves): one record for each, the last change
// counts. Called by catalogs.ts and archival.ts.
import { isDeepStrictEqual } from "node:util";
import { blockOf, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";

export interface Revision {
  readonly name: string;
  /** 1, 2 and so on with each load of the name, removed ones counted. */
  readonly revision: number;
  readonly state: "loading" | "active" | "removed";
  /** Epoch milliseconds. */
  readonly changedAt: number;
}

type Registry = "catalogs" | "archival_archives";

/** All revisions that were ever begun, by name and revision. */
export async function allRevisions<R extends Revision>(client: ArchiveClient, registry: Registry): Promise<R[]> {
  const block = await client.query(`SELECT record FROM ${registry} FINAL ORDER BY name, revision`);
  return strings(block, "record").map((record) => JSON.parse(record) as R);
}

/** Records as they are from now on; several at once are changed together. `changedAt` rises with every change of one. */
export async function record<R extends Revision>(
  client: ArchiveClient,
  registry: Registry,
  revisions: readonly R[],
): Promise<R[]> {
  const changed = revisions.map((one) => ({ ...one, changedAt: Math.max(Date.now(), one.changedAt + 1) }));
  const longs = (values: readonly number[]) => unsigned(BigUint64Array.from(values, BigInt));
  await client.insert(
    registry,
    blockOf(changed.length, {
      name: texts(changed.map(({ name }) => name)),
      revision: longs(changed.map(({ revision }) => revision)),
      state: texts(changed.map(({ state }) => state)),
      changedAt: longs(changed.map(({ changedAt }) => changedAt)),
      record: texts(changed.map((one) => JSON.stringify(one))),
    }),
  );
  return changed;
}

/** The revision of each name that counts: the latest one that is active. */
export function activeOf<R extends Revision>(revisions: readonly R[]): R[] {
  const byName = new Map<string, R>();
  for (const revision of revisions) {
    if (revision.state !== "active") continue;
    const known = byName.get(revision.name);
    if (known === undefined || known.revision < revision.revision) byName.set(revision.name, revision);
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Whether a load that was begun is that of this description and these files: then it can go on. */
export function isSameLoad(begun: object, wanted: object): boolean {
  const plain = JSON.parse(JSON.stringify(wanted)) as Record<string, unknown>;
  const own = begun as Readonly<Record<string, unknown>>;
  return Object.entries(plain).every(([name, value]) => isDeepStrictEqual(own[name], value));
}
