// Whose eyes: which packets and points a caller may see. Every read in the stores takes one.
import type { Survey } from "./survey.js";

export interface Viewer {
  /** Name for logs and the scope of shared subscriptions: "owner", "anonymous". Same scope, same rights. */
  readonly scope: string;
  /** Rights per survey; a survey that is not named is not visible at all. */
  readonly programids: ReadonlyMap<Survey, "all" | readonly number[]>;
  /** May create filters, ingest, and read dead letters. */
  readonly mayChange: boolean;
}

export function maySee(viewer: Viewer, survey: Survey, programid: number): boolean {
  const rights = viewer.programids.get(survey);
  return rights === "all" || (rights?.includes(programid) ?? false);
}
