// Rows of an alert table as the alerts that the API shows. Called by alerts.ts and alerts.page.ts.
import type { Alert } from "../../domain/alert.js";
import type { Block } from "../../domain/columns.js";
import type { Survey } from "../../domain/survey.js";
import { bigints, eachRow, numbers, numbersOrNull, strings, stringsOrNull } from "./blocks.js";

/** What a SELECT must give for alertsOf(). */
export const ALERT_COLUMNS =
  "candid, objectId, jd, ra, dec, band, magnitude, magnitudeError, flux, fluxError, isPositive, class, solarSystemName, programid";

export function alertsOf(survey: Survey, block: Block): Alert[] {
  const candid = bigints(block, "candid");
  const objectId = strings(block, "objectId");
  const jd = numbers(block, "jd");
  const ra = numbers(block, "ra");
  const dec = numbers(block, "dec");
  const band = strings(block, "band");
  const magnitude = numbersOrNull(block, "magnitude");
  const magnitudeError = numbersOrNull(block, "magnitudeError");
  const flux = numbersOrNull(block, "flux");
  const fluxError = numbersOrNull(block, "fluxError");
  const isPositive = numbers(block, "isPositive");
  const className = strings(block, "class");
  const solarSystemName = stringsOrNull(block, "solarSystemName");
  const programid = numbers(block, "programid");
  return eachRow(block, (row) => ({
    survey,
    candid: candid[row]!,
    objectId: objectId[row]!,
    jd: jd[row]!,
    ra: ra[row]!,
    dec: dec[row]!,
    band: band[row]!,
    magnitude: magnitude(row),
    magnitudeError: magnitudeError(row),
    flux: flux(row),
    fluxError: fluxError(row),
    isPositive: isPositive[row] === 1,
    class: className[row] || null,
    solarSystemName: solarSystemName(row),
    programid: programid[row]!,
  }));
}
