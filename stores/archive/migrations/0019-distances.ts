// Distances of gravitational waves: of the cells of sky maps, and of the alerts that they mark. NaN where nobody told. Read by
// ../marks.contents.ts, ../marks.marked.ts and ../enriched/marks.ts.
import type { ArchiveClient } from "../client.js";
import { alterTable } from "../layout.js";

const columns = (type: string): string =>
  ["distanceMean", "distanceSigma"]
    .map((name) => `ADD COLUMN IF NOT EXISTS ${name} ${type} DEFAULT nan CODEC(ZSTD(1))`)
    .join(", ");

export async function up(client: ArchiveClient): Promise<void> {
  await alterTable(client, "marked_cells", columns("Float32"), "columns");
  await alterTable(client, "marks", columns("Float64"), "columns");
}
