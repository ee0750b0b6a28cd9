// What models said of alerts, and the models that this process knows. Implemented by stores/archive and by
// ingest/classifiers; written with each batch as an annex (domain/alert.ts).
import type { AlertScores, Model, ModelState } from "../domain/classifier.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";

/** An alert by all that the archive finds it by. */
export interface ScoredAlert {
  readonly candid: bigint;
  readonly objectId: string;
  readonly jd: number;
}

export interface ScoreStore {
  /**
   * By candid, of alerts that the viewer may see; ordered by model and version. Of what was scored more than once, the latest.
   * At most 1,000 alerts. With `shadow` also what models said while they were only watched.
   */
  scores(
    viewer: Viewer,
    survey: Survey,
    alerts: readonly ScoredAlert[],
    shadow: boolean,
  ): Promise<Map<bigint, AlertScores[]>>;
}

export interface Models {
  /** By name and version. */
  list(): readonly Model[];
  /** Takes effect with the next batch, here and in other processes that share the folder. Throws UNKNOWN_MODEL. */
  setState(name: string, version: string, state: ModelState): Promise<Model>;
}
