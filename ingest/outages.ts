// One line when something is lost and one when it is back, however many wait for it and however often they try.
// Made by cli/, told by ingest/persistently.ts.
import { TocsinError } from "../domain/errors.js";
import type { Outages } from "./persistently.js";

export interface OutageTellers {
  /** `sentence`: what is lost and what would help. */
  readonly began: (error: Error, sentence: string) => void;
  readonly ended: (error: Error, sentence: string, milliseconds: number) => void;
}

/** What is lost now is told by `current`: sentences, oldest first. */
export function createOutages({ began, ended }: OutageTellers): Outages & { readonly current: readonly string[] } {
  const open = new Map<string, { readonly sentence: string; readonly since: number }>();

  function over(error: Error): void {
    const key = keyOf(error);
    const outage = open.get(key);
    if (outage === undefined) return;
    open.delete(key);
    ended(error, outage.sentence, performance.now() - outage.since);
  }

  return {
    failed(error, before) {
      const key = keyOf(error);
      if (before !== null && keyOf(before) !== key) over(before);
      if (open.has(key)) return;
      const sentence = sentenceOf(error);
      open.set(key, { sentence, since: performance.now() });
      began(error, sentence);
    },
    over,
    get current() {
      return [...open.values()].map(({ sentence }) => sentence);
    },
  };
}

/** The code and the engine tell what is lost; messages differ from try to try. */
const keyOf = (error: Error): string =>
  error instanceof TocsinError ? `${error.code} ${error.engine ?? ""}` : error.name;

const sentenceOf = (error: Error): string =>
  `${error.message} ${error instanceof TocsinError ? error.remedy : ""}`.trim();
