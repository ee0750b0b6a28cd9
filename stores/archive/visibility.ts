// The one place where a viewer's rights become SQL. Every read of the archive's stores goes through it.
import type { Survey } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type { Parameter } from "./client.js";

/** A condition on a row's programid (and survey), with its bound values. */
export interface Visible {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
}

/** For rows of one survey: a condition on `programid`; null where the viewer sees nothing of the survey. */
export function visibleIn(viewer: Viewer, survey: Survey): Visible | null {
  const rights = viewer.programids.get(survey);
  if (rights === undefined || (rights !== "all" && rights.length === 0)) return null;
  if (rights === "all") return { sql: "1", parameters: {} };
  return { sql: "programid IN {programids:Array(Int32)}", parameters: { programids: rights } };
}

/**
 * For rows of many surveys: a condition on `survey` and `programid`; null where the viewer sees nothing at all.
 * With `only`, rows of that survey.
 */
export function visibleAcross(viewer: Viewer, only: Survey | null = null): Visible | null {
  const clauses: string[] = [];
  const parameters: Record<string, Parameter> = {};
  for (const survey of only === null ? viewer.programids.keys() : [only]) {
    const rights = viewer.programids.get(survey);
    if (rights === undefined || (rights !== "all" && rights.length === 0)) continue;
    const n = clauses.length;
    parameters[`survey${n}`] = survey;
    if (rights !== "all") parameters[`programids${n}`] = rights;
    const within = rights === "all" ? "" : ` AND programid IN {programids${n}:Array(Int32)}`;
    clauses.push(`survey = {survey${n}:String}${within}`);
  }
  return clauses.length === 0 ? null : { sql: `(${clauses.join(" OR ")})`, parameters };
}
