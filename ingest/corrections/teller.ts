// Tells that values of archived alerts have changed: of objects' latest alerts to people, of all to those filters that read
// them. Made by cli/corrections.ts for everybody who makes values anew.
import type { Corrected } from "../../domain/correction.js";
import type { Survey } from "../../domain/survey.js";
import type { ActiveFilters } from "../../filters/active.js";
import type { CorrectedAlert, CorrectionStore, ToldCorrection } from "../../stores/corrections.store.js";
import { concerned } from "./concerned.js";

export interface Change {
  readonly survey: Survey;
  /** At most 20,000 in one call. */
  readonly alerts: readonly CorrectedAlert[];
  readonly what: Exclude<Corrected, "HIT_ADDED" | "HIT_WITHDRAWN">;
  readonly step: string;
  readonly version: string;
  readonly source: string | null;
  readonly scope: string | null;
  /** First parts of the names whose values may be others now. */
  readonly reads: readonly string[];
  /** People are not told, only what filters make of it. */
  readonly forFilters?: boolean;
}

/** To be called when the new values are stored: filters are run over them from then on. */
export type Tell = (changes: readonly Change[]) => Promise<void>;

export interface TellerParts {
  readonly corrections: Pick<CorrectionStore, "tell" | "known">;
  readonly active: Pick<ActiveFilters, "of">;
  /** A new batch id. */
  readonly begin: () => bigint;
  /** Called when something has been told. */
  readonly onTold: () => void;
}

export function createTeller({ corrections, active, begin, onTold }: TellerParts): Tell {
  async function rowsOf({ alerts, reads, forFilters = false, ...change }: Change): Promise<ToldCorrection[]> {
    const { survey } = change;
    const isRead = (await concerned(active, survey, reads)).length > 0;
    return (await corrections.known(survey, alerts)).flatMap(({ isLatest, ...alert }) => {
      const isShown = isLatest && !forFilters;
      if (!isShown && !isRead) return [];
      return [{ ...change, ...alert, filter: null, isShown, reads: isRead ? reads : [] }];
    });
  }

  return async (changes) => {
    const told: ToldCorrection[] = [];
    for (const change of changes) told.push(...(await rowsOf(change)));
    if (told.length === 0) return;
    await corrections.tell(begin(), told);
    onTold();
  };
}
