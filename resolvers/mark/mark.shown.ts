// Marks as the API shows them. Used by the queries and mutations of this folder and by server/marks.ts.
import { type Mark, markOperand } from "../../domain/mark.js";
import { jdFromEpochMs } from "../../domain/time.js";
import type { MarkType } from "../../schema/mark/mark.type.js";

export function shownMark(mark: Mark): MarkType {
  const { skymap } = mark;
  return {
    ...mark,
    operand: markOperand(mark),
    skymap: skymap && { ...skymap, time: skymap.jd, start: skymap.startJd, end: skymap.endJd },
    createdAt: jdFromEpochMs(mark.createdAt),
    changedAt: jdFromEpochMs(mark.changedAt),
  };
}
