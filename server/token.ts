// The owner's bearer token in DATA_DIR, made on first start. Called by cli/, which prints the path.
import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TocsinError } from "../domain/errors.js";

export interface TokenFile {
  readonly token: string;
  readonly path: string;
}

/** The token kept in `dataDir` (mode 600); a new one of 256 random bits where there is none yet. */
export function tokenOf(dataDir: string): TokenFile {
  const path = join(dataDir, "token");
  try {
    // "wx": of two processes that start at once one makes the file and the other reads it.
    writeFileSync(path, `${randomBytes(32).toString("base64url")}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    chmodSync(path, 0o600);
  }
  const token = readFileSync(path, "utf8").trim();
  if (token.length < 16) {
    throw new TocsinError("BAD_SETTING", `The token in ${path} is shorter than 16 characters.`, {
      remedy: "Remove the file; the next start makes a new token.",
    });
  }
  return { token, path };
}
