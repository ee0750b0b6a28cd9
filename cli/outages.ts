// Outages as log lines and metrics: one of each when something is lost, and when it is back. Called by cli/service.ts and
// cli/ingestion.ts.
import type { Logger } from "pino";
import { TocsinError } from "../domain/errors.js";
import { createOutages } from "../ingest/outages.js";
import type { Outages } from "../ingest/persistently.js";
import type { Watching } from "./watching.js";

export interface LoggedOutages extends Outages {
  /** The listener hears what is lost, now and later, as sentences; the function ends it. */
  listen(listener: (sentence: string) => void): () => void;
}

export function loggedOutages(watching: Pick<Watching, "lost" | "back">, log: Logger): LoggedOutages {
  const listeners = new Set<(sentence: string) => void>();
  const outages = createOutages({
    began(error, sentence) {
      watching.lost(error);
      log.warn({ code: codeOf(error), cause: causeOf(error) }, `${sentence} (tried again)`);
      for (const tell of listeners) tell(sentence);
    },
    ended(error, _sentence, milliseconds) {
      watching.back(error);
      log.warn({ code: codeOf(error), milliseconds }, "It goes on.");
    },
  });
  return {
    failed: outages.failed,
    over: outages.over,
    listen(listener) {
      for (const sentence of outages.current) listener(sentence);
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

const codeOf = (error: Error): string | undefined => (error instanceof TocsinError ? error.code : undefined);
const causeOf = (error: Error): string | undefined => (error.cause instanceof Error ? error.cause.message : undefined);
