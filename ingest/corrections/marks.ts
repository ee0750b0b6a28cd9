// Watch lists, areas and sky maps that were replaced, retracted or removed: which alerts they mark otherwise than before is
// told, then what they held goes. A new mark is no correction. Made by cli/corrections.ts.
import type { Mark } from "../../domain/mark.js";
import { markOperand } from "../../domain/mark.js";
import type { Survey } from "../../domain/survey.js";
import type { MarkStores } from "../../stores/marks.store.js";
import type { RematchStore } from "../../stores/matches.store.js";
import { MARKS_VERSION } from "../enrich/marks.js";
import { pastKey } from "../marks/past.js";
import { createWorker, type Worker } from "../worker.js";
import type { Tell } from "./teller.js";

const EVERY_MS = 30_000;
/** While the past is being marked by a new content, the former one waits. */
const AGAIN_MS = 1_000;

export interface MarkChangesParts {
  readonly marks: MarkStores;
  readonly rematches: Pick<RematchStore, "rematches">;
  readonly tell: Tell;
  readonly surveys: readonly Survey[];
  readonly mayRun: () => boolean;
  readonly log: (line: string) => void;
}

export function createMarkChanges({ marks, rematches, tell, surveys, mayRun, log }: MarkChangesParts): Worker {
  const { registry, contents, marked } = marks;
  /** Told and dropped; the archive may show them for a while. */
  const dropped = new Set<string>();

  async function work(signal: AbortSignal): Promise<boolean> {
    const names = (await contents.names()).filter((name) => !dropped.has(name));
    const inForce = new Set(activeMarks().map(({ content }) => content));
    let waiting = false;
    for (const content of names.filter((name) => !inForce.has(name))) {
      if (signal.aborted || !mayRun()) return false;
      // Of none: it is still being handed in.
      const was = await registry.stateWith(content);
      if (was === null) continue;
      const now = activeMarks().find(({ id }) => id === was.id) ?? null;
      if (now !== null && !(await hasMarkedPast(now))) {
        waiting = true;
        continue;
      }
      for (const survey of surveys) if (!(await tellChanges(was, now, survey, signal))) return false;
      await contents.drop(content);
      dropped.add(content);
    }
    if (waiting) setTimeout(() => worker.nudge(), AGAIN_MS).unref();
    return false;
  }

  const activeMarks = (): Mark[] => registry.all().filter(({ state }) => state === "ACTIVE");

  async function hasMarkedPast(mark: Mark): Promise<boolean> {
    const done = (await rematches.rematches([pastKey(mark)])).filter(
      ({ complete, version }) => complete && version === MARKS_VERSION,
    );
    return surveys.every((survey) => done.some((one) => one.survey === survey));
  }

  /** False where it was interrupted. */
  async function tellChanges(was: Mark, now: Mark | null, survey: Survey, signal: AbortSignal): Promise<boolean> {
    const { isShared, scope } = now ?? was;
    const source = markOperand(now ?? was);
    for (let afterJd = Number.MIN_SAFE_INTEGER; ; ) {
      if (signal.aborted || !mayRun()) return false;
      const { alerts, upToJd } = await marked.difference(was.content, now?.content ?? null, survey, afterJd);
      if (alerts.length > 0) {
        const change = { survey, alerts, what: "MARKS" as const, step: "marks", version: MARKS_VERSION };
        await tell([{ ...change, source, scope: isShared ? null : scope, reads: [source] }]);
      }
      if (upToJd === null) return true;
      afterJd = upToJd;
    }
  }

  const worker = createWorker({
    work,
    mayRun,
    everyMs: EVERY_MS,
    onFault: (error) => log(`What marks held before could not be told of: ${error.message}`),
  });
  const stopHearing = registry.onChange(worker.nudge);
  return {
    ...worker,
    close() {
      stopHearing();
      return worker.close();
    },
  };
}
