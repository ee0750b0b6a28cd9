// DeadLetterWhere to the store's conditions, with every bound checked. Called by the room's query and mutation.
import { LETTER_REASONS } from "../../domain/packet.js";
import { epochMsFromJd } from "../../domain/time.js";
import type { DeadLetterWhere } from "../../schema/deadletter/deadletter.input.js";
import { MAX_PAGE } from "../../schema/paging/bounds.js";
import type { LetterConditions } from "../../stores/deadletters.store.js";
import { badArgument, list, MAX_TEXT, text } from "../bounds.js";

/** The times of the store's letters: 1970 to 2286. */
const LAST_MS = 1e13;

export function conditionsOf(where: DeadLetterWhere): LetterConditions {
  const { ids, survey, source, replayed, from, to } = where;
  const reason = LETTER_REASONS.find((code) => code === where.reason);
  if (where.reason != null && reason === undefined) {
    const found = JSON.stringify(where.reason.slice(0, 40));
    throw badArgument(`reason must be one of ${LETTER_REASONS.join(", ")}, found ${found}.`, { argument: "reason" });
  }
  return {
    ...(ids != null && { ids: list("ids", ids, MAX_PAGE).filter((id) => id >= 0n) }),
    ...(reason !== undefined && { reason }),
    ...(survey != null && { survey }),
    ...(source != null && { source: text("source", source, MAX_TEXT) }),
    ...(replayed != null && { replayed }),
    ...((from != null || to != null) && {
      received: { from: from == null ? 0 : moment(from), to: to == null ? LAST_MS : moment(to) },
    }),
  };
}

const moment = (jd: number): number => Math.min(Math.max(epochMsFromJd(jd), 0), LAST_MS);
