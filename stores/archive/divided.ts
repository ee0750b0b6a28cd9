// Two ways to one archive: what is read to answer a query takes its own connections and waits for ingest and live hits.
// Called by cli/ with what opens a client; the stores know one.
import { answersQuery } from "../request.js";
import type { ArchiveClient } from "./client.js";
import { OWN, READERS, type Share } from "./priorities.js";

/** Ingest counts as at work until so long after its last insert. */
const WRITTEN_MS = 3_000;

export interface DividedArchive extends ArchiveClient {
  /** Whether rows have been stored just now. */
  writing(): boolean;
}

export async function dividedArchive(
  open: (share: Share) => ArchiveClient | Promise<ArchiveClient>,
): Promise<DividedArchive> {
  const own = await open(OWN);
  const readers = await Promise.resolve(open(READERS)).catch(async (error: unknown) => {
    await own.close();
    throw error;
  });
  let wroteAt = Number.NEGATIVE_INFINITY;
  return {
    writing: () => performance.now() - wroteAt < WRITTEN_MS,
    database: own.database,
    cluster: own.cluster ?? null,
    storagePolicy: own.storagePolicy ?? null,
    query: (...of) => (answersQuery() ? readers : own).query(...of),
    insert(...of) {
      wroteAt = performance.now();
      return own.insert(...of);
    },
    command: (...of) => own.command(...of),
    async close() {
      await Promise.all([own.close(), readers.close()]);
    },
  };
}
