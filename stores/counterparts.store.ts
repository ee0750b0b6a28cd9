// Cross-survey counterpart pairs in the order they were found: the archive's record that the graph follows; and the
// counterparts that alerts had at their time, for filters. Implemented by stores/archive.
import type { Block } from "../domain/columns.js";
import type { Survey, SurveyDescription } from "../domain/survey.js";
import type { CounterpartPair } from "./links.store.js";

export interface CounterpartStore {
  /** Keep the pairs that a batch found, until the sequencer numbers them (sequence.store.ts). Twice changes nothing. */
  found(batchId: bigint, pairs: readonly CounterpartPair[]): Promise<void>;
  /** Pairs whose seq is above `after`, in order. Each pair has a seq of its own, so a page may end anywhere. */
  since(after: bigint, first: number): Promise<(CounterpartPair & { seq: bigint })[]>;
}

/** Another survey, as one survey's alerts look for their counterparts in it. */
export interface OtherSurvey {
  readonly survey: Survey;
  readonly publicProgramids: readonly number[];
  /** The smaller of the two surveys' radii. */
  readonly radiusArcsec: number;
}

export const otherSurvey = (own: SurveyDescription, other: SurveyDescription): OtherSurvey => ({
  survey: other.id,
  publicProgramids: other.publicProgramids,
  radiusArcsec: Math.min(own.counterpartRadiusArcsec, other.counterpartRadiusArcsec),
});

export interface NearestStore {
  /**
   * Of each alert (by its jd, candid, ra, dec, which need not be archived yet) the objectId of its counterpart, in one
   * query: of the other survey's objects whose latest public alert up to jd lies within the radius, that whose is
   * nearest; of equally near ones the first by objectId; null where there is none.
   */
  nearest(alerts: Block, other: OtherSurvey): Promise<(string | null)[]>;
}
