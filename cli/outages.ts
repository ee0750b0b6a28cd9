// Outages as log lines and metrics: one of each when something is lost, and when it is back. Called by cli/service.ts and
// cli/ingestion.ts.
import type { Logger } from "pino";
import { TocsinError } from "../domain/errors.js";
import { createOutages } from "../ingest/outages.js";
import type { Watching } from "./watching.js";

export function loggedOutages(
  watching: Pick<Watching, "lost" | "back">,
  log: Logger,
  onBegan: (sentence: string) => void = () => {},
): ReturnType<typeof createOutages> {
  return createOutages({
    began(error, sentence) {
      watching.lost(error);
      log.warn({ code: codeOf(error), cause: causeOf(error) }, `${sentence} (tried again)`);
      onBegan(sentence);
    },
    ended(error, _sentence, milliseconds) {
      watching.back(error);
      log.warn({ code: codeOf(error), milliseconds }, "It goes on.");
    },
  });
}

const codeOf = (error: Error): string | undefined => (error instanceof TocsinError ? error.code : undefined);
const causeOf = (error: Error): string | undefined => (error.cause instanceof Error ? error.cause.message : undefined);
