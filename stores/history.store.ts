// What packets told of objects' points before a batch. Implemented by stores/archive; asked by ingest/enrich/history.ts.
import type { Block } from "../domain/columns.js";
import type { Survey } from "../domain/survey.js";

export interface HistoryStore {
  /**
   * The distinct tellings of the points of these objects, in no order; a telling may stand in several rows. Columns:
   * objectId, kind, pointId, jd, programid (of the point); firstJd, firstCandid, lastJd, lastCandid (of the first and the
   * last packet that told it; of a row's packets); and the named ones of the photometry table. Of missing values numbers are
   * -Infinity and texts are empty.
   */
  tellings(survey: Survey, objectIds: readonly string[], columns: readonly string[]): Promise<Block>;
}
