// Counterparts of alerts and their detections by the plain rule over all packets that have ever come: for tests.
import { separationArcsec } from "../domain/sky.js";
import type { SurveyDescription } from "../domain/survey.js";
import type { TestAlert } from "./batches.js";
import { type Known, listsTold } from "./histories.js";

/** Of the other survey's objects, where their latest public alert up to then was, the nearest within the radius. */
export function counterpartByRule(
  { jd, ra, dec }: Pick<TestAlert, "jd" | "ra" | "dec">,
  others: readonly TestAlert[],
  { publicProgramids }: SurveyDescription,
  radiusArcsec: number,
): string | null {
  const latest = new Map<string, TestAlert>();
  for (const one of others) {
    if (one.jd > jd || !publicProgramids.includes(one.programid ?? 1)) continue;
    const before = latest.get(one.objectId);
    if (!before || before.jd < one.jd || (before.jd === one.jd && before.candid < one.candid)) {
      latest.set(one.objectId, one);
    }
  }
  const near = [...latest.values()]
    .map((one) => ({ ...one, separation: separationArcsec(ra, dec, one.ra, one.dec) }))
    .filter(({ separation }) => separation <= radiusArcsec)
    .sort((a, b) => a.separation - b.separation || (a.objectId < b.objectId ? -1 : 1));
  return near[0]?.objectId ?? null;
}

/** Its public detections up to then, as packets up to then told them. */
export function detectionsByRule(
  alert: Pick<TestAlert, "jd" | "ra" | "dec">,
  others: readonly TestAlert[],
  other: SurveyDescription,
  radiusArcsec: number,
): Known[] {
  const objectId = counterpartByRule(alert, others, other, radiusArcsec);
  const packets = others.filter((one) => one.objectId === objectId && one.jd <= alert.jd);
  return listsTold(other, packets, alert.jd, (programid) => other.publicProgramids.includes(programid)).detections!;
}
