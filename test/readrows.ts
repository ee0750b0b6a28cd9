// How many rows an engine has read for something: what a question costs, whatever else the machine does. Used by tests and
// benchmarks; nothing else may ask the engine meanwhile.
import { bigints } from "../stores/archive/blocks.js";
import type { ArchiveClient } from "../stores/archive/client.js";

/** Rows that reading the counter adds to it are left out. */
export async function rowsRead(client: ArchiveClient, work: () => Promise<unknown>): Promise<number> {
  const before = await selected(client);
  const own = (await selected(client)) - before;
  const start = await selected(client);
  await work();
  return Number((await selected(client)) - start - own);
}

async function selected(client: ArchiveClient): Promise<bigint> {
  const block = await client.query(
    "SELECT toUInt64(sum(value)) AS rows FROM system.events WHERE event = 'SelectedRows'",
  );
  return bigints(block, "rows")[0]!;
}
