// Receipts, dead letters and re-enrichment for commands: answered by the process that has DATA_DIR open, else in this one. Called by
// cli/receipt.ts, cli/deadletters.ts, cli/enrich.ts and cli/missing.ts.
import type { Logger } from "pino";
import { TocsinError } from "../domain/errors.js";
import { callService } from "./control.js";
import { isOpen } from "./datadir.js";
import type { Records } from "./records.js";
import { openService } from "./service.js";
import type { Settings } from "./settings.js";

/**
 * Ask whoever has DATA_DIR open, else open the engines for as long as it takes. No topic is read for it.
 */
export async function withRecords<T>(
  settings: Settings,
  log: Logger,
  ask: (records: Records) => Promise<T>,
): Promise<T> {
  const { DATA_DIR } = settings;
  if (await isOpen(DATA_DIR)) {
    return ask({
      receipt: (...args) => callService(DATA_DIR, "receipt", args),
      letters: (...args) => callService(DATA_DIR, "letters", args),
      bytes: (...args) => callService(DATA_DIR, "bytes", args),
      replay: (...args) => callService(DATA_DIR, "replay", args),
      reenrich: (...args) => callService(DATA_DIR, "reenrich", args),
      missing: (...args) => callService(DATA_DIR, "missing", args),
    });
  }
  const { KAFKA_BROKERS: _, ...alone } = settings;
  const service = await openService(alone, log);
  try {
    if (service.records === null) throw new TocsinError("NOT_HERE", "This process takes nothing in.");
    return await ask(service.records);
  } finally {
    await service.close();
  }
}
