// Finds the ClickHouse library that npm installed for this platform. Called by embedded.ts.
import { createRequire } from "node:module";
import { TocsinError } from "../../../domain/errors.js";

const require = createRequire(import.meta.url);

const PACKAGES: Readonly<Record<string, string>> = {
  "linux-x64": "@chdb/lib-linux-x64-gnu",
  "linux-arm64": "@chdb/lib-linux-arm64-gnu",
  "darwin-x64": "@chdb/lib-darwin-x64",
  "darwin-arm64": "@chdb/lib-darwin-arm64",
};

/** What decides which build is needed. Given by tests; the running process otherwise. */
export interface Platform {
  readonly os: string;
  readonly cpu: string;
  /** False on Linux systems with musl (Alpine), for which no build exists. */
  readonly glibc: boolean;
}

function thisPlatform(): Platform {
  return { os: process.platform, cpu: process.arch, glibc: process.platform !== "linux" || hasGlibc() };
}

function hasGlibc(): boolean {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime !== undefined;
}

/**
 * Absolute path of libchdb.so.
 * @throws TocsinError ENGINE_UNSUPPORTED where there is no build (Windows, musl) or it is not installed.
 */
export function engineLibrary(platform: Platform = thisPlatform()): string {
  const name = `${platform.os}-${platform.cpu}`;
  const packageName = PACKAGES[name];
  if (packageName === undefined || !platform.glibc) {
    const libc = platform.glibc ? "" : " with musl";
    throw new TocsinError("ENGINE_UNSUPPORTED", `The embedded archive has no build for ${name}${libc}.`);
  }
  try {
    return require.resolve(`${packageName}/libchdb.so`);
  } catch (cause) {
    throw new TocsinError(
      "ENGINE_UNSUPPORTED",
      `The package ${packageName} of the embedded archive is not installed.`,
      {
        remedy: "Install without --omit=optional (npm ci), or set CLICKHOUSE_URL.",
        cause,
      },
    );
  }
}
