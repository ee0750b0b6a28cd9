// What went wrong at the archive, as a coded error without the statement's text. Called by http.ts.
import { ClickHouseError } from "@clickhouse/client";
import { type ErrorCode, TocsinError } from "../../domain/errors.js";

const PART_AWAY = "A part of the archive's cluster does not answer.";
const RIGHTS = "The archive's user lacks a right that the service needs.";

/** ClickHouse's code of a statement that names a table which is not there. */
const UNKNOWN_TABLE = 60;
export const isTableMissing = (error: unknown): boolean =>
  error instanceof TocsinError && error.details.engineCode === UNKNOWN_TABLE;

/** ClickHouse's error codes that mean something to a caller. */
const MEANING: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  32: ["ENGINE_UNAVAILABLE", PART_AWAY],
  40: ["DATA_DAMAGED", "Bytes on the archive's disk are not what was written."],
  158: ["QUERY_TOO_LARGE", "The query reads more rows than it may."],
  159: ["QUERY_TIMEOUT", "The archive did not finish the query in time."],
  160: ["QUERY_TIMEOUT", "The query would not finish in time."],
  198: ["ENGINE_UNAVAILABLE", PART_AWAY],
  202: ["ENGINE_UNAVAILABLE", "The archive runs as many queries as it may."],
  209: ["ENGINE_UNAVAILABLE", PART_AWAY],
  210: ["ENGINE_UNAVAILABLE", PART_AWAY],
  225: ["ENGINE_UNAVAILABLE", "The archive's Keeper does not answer."],
  241: ["QUERY_TOO_LARGE", "The query needs more memory than it may use."],
  242: ["ENGINE_UNAVAILABLE", "The archive takes no rows for the moment."],
  246: ["DATA_DAMAGED", "Bytes on the archive's disk are not what was written."],
  243: ["DISK_FULL", "The disk under the archive is full."],
  252: ["ENGINE_UNAVAILABLE", "The archive is behind with merging and takes no rows for the moment."],
  279: ["ENGINE_UNAVAILABLE", PART_AWAY],
  285: ["ENGINE_UNAVAILABLE", PART_AWAY],
  286: ["ENGINE_UNAVAILABLE", PART_AWAY],
  307: ["QUERY_TOO_LARGE", "The query reads more bytes than it may."],
  319: ["ENGINE_UNAVAILABLE", "It is not known whether the archive has stored the rows."],
  394: ["QUERY_TIMEOUT", "The query was cancelled at the archive."],
  396: ["QUERY_TOO_LARGE", "The query answers with more rows than it may."],
  452: ["BAD_SETTING", "The archive's server does not let its user set what the service needs."],
  497: ["BAD_SETTING", RIGHTS],
  516: ["BAD_SETTING", "The archive refuses the user name or the password."],
  999: ["ENGINE_UNAVAILABLE", "The archive's Keeper does not answer."],
};

const LOST_CONNECTION = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** True where the connection failed, so that nothing is known about the statement. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof ClickHouseError || error instanceof TocsinError) return false;
  const { code } = error as NodeJS.ErrnoException;
  return (
    (code !== undefined && LOST_CONNECTION.has(code)) ||
    /socket hang up|aborted|premature close|Timeout error/i.test(error.message)
  );
}

const engine = "archive";

/** The coded error; what the engine said is its cause, for the log. */
export function archiveError(error: unknown): TocsinError {
  if (error instanceof TocsinError) return error;
  if (isConnectionLoss(error)) {
    return new TocsinError("ENGINE_UNAVAILABLE", "The archive does not answer.", { cause: error, engine });
  }
  if (error instanceof ClickHouseError && error.code === "241" && /\(total\)|User memory/.test(error.message)) {
    // Others have taken what there is: the statement itself may be small.
    const message = "The archive has no memory to spare for the moment.";
    return new TocsinError("ENGINE_UNAVAILABLE", message, { remedy: "Try again shortly.", cause: error, engine });
  }
  const engineCode = error instanceof ClickHouseError ? error.code : null;
  const meaning = engineCode === null ? undefined : MEANING[engineCode];
  const details = engineCode === null ? {} : { engineCode: Number(engineCode) };
  if (meaning !== undefined) {
    return new TocsinError(meaning[0], meaning[1], { cause: error, engine, details, ...remedyOf(error) });
  }
  if (error instanceof ClickHouseError && /No space left on device/.test(error.message)) {
    return new TocsinError("DISK_FULL", "The disk under the archive is full.", { cause: error, engine, details });
  }
  if (/HTML Form Exception: Field value too long/.test(String(error))) {
    return new TocsinError("BAD_SETTING", "The archive's server does not take statements or lists of this length.", {
      remedy: "Set http_max_field_value_size to 67108864 in the default profile of that ClickHouse server.",
      ...{ cause: error, engine },
    });
  }
  const told = engineCode === null ? "" : ` (engine code ${engineCode})`;
  return new TocsinError("INTERNAL", `The archive could not carry out a statement${told}.`, {
    cause: error,
    engine,
    details,
  });
}

/** What to change at the server, where it says which right or setting is missing. It names no value. */
function remedyOf(error: unknown): { remedy?: string } {
  const message = error instanceof Error ? error.message : "";
  const right = /have the grant ([A-Z ()]+[A-Za-z(), ]*? ON [\w.*`]+)/.exec(message)?.[1];
  if (right !== undefined) return { remedy: `Grant it to the user at the server: GRANT ${right}.` };
  const setting = /Setting (\w+) should/.exec(message)?.[1];
  if (setting !== undefined) return { remedy: `Let the user set ${setting}: see its profile's constraints.` };
  return {};
}
