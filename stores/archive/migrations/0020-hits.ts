// The projections of hits are made by merges: an insert made 20 of its 32 files for them. Read by ../hits.ts.
import type { ArchiveClient } from "../client.js";
import { alterTable } from "../layout.js";
import { madeByMerges, settingsText } from "../projections.js";

export async function up(client: ArchiveClient): Promise<void> {
  const settings = await madeByMerges(client);
  if (Object.keys(settings).length > 0) {
    await alterTable(client, "hits", `MODIFY SETTING ${settingsText(settings)}`, "rows");
  }
}
