// Alerts that a text matches, as a page. Called by the alerts query.
import { alertCursor, queryIdentity } from "../../domain/cursor.js";
import type { AlertConnectionType } from "../../schema/alert/alert.type.js";
import type { AlertConditions } from "../../stores/alerts.store.js";
import { badArgument, MAX_TEXT, text } from "../bounds.js";
import type { Context } from "../context.js";
import { connection } from "../paging.js";
import { alertEdge } from "../shown.js";

/** Where the search ended early, the page is short and ends there, not at its last alert. */
export async function matchingAlerts(
  { stores, services, viewer }: Context,
  conditions: AlertConditions,
  matches: string,
  first: number,
  after: string | null | undefined,
): Promise<AlertConnectionType> {
  const { survey } = conditions;
  if (survey === undefined) {
    throw badArgument("where must have survey beside matches: each survey has names of its own.", {
      argument: "where",
    });
  }
  services.language.validate(survey, text("matches", matches, MAX_TEXT), []);
  const identity = queryIdentity("alerts", Object.entries(conditions), matches);
  const key = after == null ? null : alertCursor.decode(identity, after);
  const { alerts, searchedTo } = await stores.backtest.matching(
    viewer,
    { ...conditions, survey },
    services.design.parts(survey, matches),
    first + 1,
    key && { jd: key[0], candid: key[1], survey: key[2] },
  );
  const page = connection(alerts, first, alertEdge(identity));
  if (searchedTo === null) return page;
  const { jd, candid } = searchedTo;
  return {
    edges: page.edges,
    pageInfo: { hasNextPage: true, endCursor: alertCursor.encode(identity, [jd, candid, searchedTo.survey]) },
  };
}
