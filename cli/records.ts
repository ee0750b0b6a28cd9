// What an owner asks a service of its receipts and dead letters, and of archived alerts' features. Made by cli/writing.ts,
// reached through cli/records.ask.ts.
import { TocsinError } from "../domain/errors.js";
import { nightNamed } from "../domain/night.js";
import type { NightReceipt } from "../domain/receipt.js";
import type { Survey, SurveyDescription } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import type { ReenrichedPiece, Reenricher } from "../ingest/reenrich.js";
import type { Replayer, ReplaySums } from "../ingest/replay.js";
import type { DeadLetterStore, LetterConditions, StoredDeadLetter } from "../stores/deadletters.store.js";
import type { FeatureKey } from "../stores/features.store.js";
import type { MissingCount, MissingStore } from "../stores/missing.store.js";
import type { ReceiptStore } from "../stores/receipts.store.js";

export interface Records {
  /** Throws UNKNOWN_SURVEY, BAD_ARGUMENT. */
  receipt(survey: Survey, night: string): Promise<NightReceipt>;
  letters(where: LetterConditions, first: number): Promise<StoredDeadLetter[]>;
  /** Base64; null where there is no such letter, or nothing was kept of it. */
  bytes(id: bigint): Promise<string | null>;
  replay(where: LetterConditions, first: number): Promise<ReplaySums>;
  /** A piece of the features of archived alerts, made anew where their version is below `before`. */
  reenrich(survey: Survey, before: number, after: FeatureKey | null): Promise<ReenrichedPiece>;
  /** What archived alerts lack of their enrichment. */
  missing(): Promise<MissingCount[]>;
}

export interface RecordParts {
  readonly receipts: ReceiptStore;
  readonly deadLetters: DeadLetterStore;
  readonly surveys: ReadonlyMap<Survey, SurveyDescription>;
  readonly replay: Replayer;
  readonly reenricher: Reenricher;
  readonly missing: Pick<MissingStore, "counts">;
}

const OWNER: Viewer = { scope: "owner", programids: new Map(), mayChange: true };

export function createRecords(parts: RecordParts): Records {
  const { receipts, deadLetters, surveys, replay, reenricher, missing } = parts;
  return {
    receipt: async (id, night) => receipts.night(id, nightNamed(night, surveyOf(surveys, id).nightOffsetHours)),
    letters: (where, first) => deadLetters.page(OWNER, where, first, null),
    async bytes(id) {
      const [letter] = await deadLetters.whole(OWNER, [id]);
      return letter?.bytes == null ? null : Buffer.from(letter.bytes).toString("base64");
    },
    replay: (where, first) => replay(OWNER, where, first),
    reenrich: async (survey, before, after) => reenricher.reenrich(surveyOf(surveys, survey).id, before, after),
    missing: () => missing.counts(),
  };
}

function surveyOf(surveys: ReadonlyMap<Survey, SurveyDescription>, id: Survey): SurveyDescription {
  const survey = surveys.get(id);
  if (survey !== undefined) return survey;
  const remedy = `There are ${[...surveys.keys()].join(", ")}.`;
  throw new TocsinError("UNKNOWN_SURVEY", `There is no survey ${id}.`, { remedy });
}
