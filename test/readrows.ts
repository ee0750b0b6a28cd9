// How many rows an engine has read for something: what a question costs, whatever else the machine does. Used by tests and
// benchmarks; nothing else may ask the engine meanwhile.
import { bigints } from "../stores/archive/blocks.js";
import type { ArchiveClient } from "../stores/archive/client.js";

/** Rows that reading the counter adds to it are left out. */
export async function rowsRead(client: ArchiveClient, work: () => Promise<unknown>): Promise<number> {
  // Services on the same archive look for batches now and then: the least is what looking itself reads.
  let own: bigint | null = null;
  for (let n = 0; n < 3; n++) {
    const read = await between(client, async () => {});
    if (own === null || read < own) own = read;
  }
  return Math.max(0, Number((await between(client, work)) - own!));
}

async function between(client: ArchiveClient, work: () => Promise<unknown>): Promise<bigint> {
  const start = await selected(client);
  await work();
  return (await selected(client)) - start;
}

async function selected(client: ArchiveClient): Promise<bigint> {
  const block = await client.query(
    "SELECT toUInt64(sum(value)) AS rows FROM system.events WHERE event = 'SelectedRows'",
  );
  return bigints(block, "rows")[0]!;
}
