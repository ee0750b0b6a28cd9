// Java programs out of Maven: which java, and the jars, fetched once into a folder of the user's cache. Called by
// kafka.ts and neo4j.ts.
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { TocsinError } from "../../domain/errors.js";

const run = promisify(execFile);

const OLDEST_JAVA = 17;
const FETCH_TIMEOUT_MS = 15 * 60_000;

export interface JavaProgram {
  readonly name: string;
  readonly version: string;
  /** Maven coordinates, `group:artifact:version`. */
  readonly artifacts: readonly string[];
}

/** Where the jars are kept: TOCSIN_SERVERS_CACHE, else ~/.cache/tocsin. */
const cacheFolder = (): string => resolve(process.env.TOCSIN_SERVERS_CACHE ?? join(homedir(), ".cache/tocsin"));

/** A program of the Java installation: that of JAVA_HOME, else the one on the path. */
export const javaTool = (name: "java" | "keytool"): string =>
  process.env.JAVA_HOME ? join(process.env.JAVA_HOME, "bin", name) : name;

/** Null where a recent enough `java` runs; else what is wrong with it. */
export function javaFault(): string | null {
  const { error, stderr } = spawnSync(javaTool("java"), ["-version"], { encoding: "utf8" });
  if (error !== undefined) return "There is no program `java`.";
  const version = /version "(?:1\.)?(\d+)/.exec(stderr)?.[1];
  if (version === undefined) return "`java -version` does not tell its version.";
  return Number(version) < OLDEST_JAVA ? `\`java\` is version ${version}.` : null;
}

/** Null where `mvn` runs; else what is wrong with it. */
export const mavenFault = (): string | null =>
  spawnSync("mvn", ["--version"], { stdio: "ignore" }).error === undefined ? null : "There is no program `mvn`.";

/** Null where the program can be started, perhaps after a download; else what is missing, in a sentence. */
export const missingFor = (program: JavaProgram): string | null =>
  javaFault() ?? (existsSync(jarsOf(program)) ? null : mavenFault());

const jarsOf = ({ name, version }: JavaProgram): string => join(cacheFolder(), `${name}-${version}`, "lib");

/**
 * The class path of the program, fetched if it is not in the cache.
 * @throws TocsinError TOOL_MISSING without Java 17 or Maven, DOWNLOAD_FAILED with what Maven said.
 */
export async function classPath(program: JavaProgram, tell: (line: string) => void): Promise<string> {
  const fault = missingFor(program);
  if (fault !== null) {
    throw new TocsinError("TOOL_MISSING", fault, {
      remedy: `Install Java ${OLDEST_JAVA} or newer and Maven (Debian: apt install openjdk-17-jre-headless maven).`,
    });
  }
  const lib = jarsOf(program);
  if (!existsSync(lib)) {
    tell(`Fetching ${program.name} ${program.version} through Maven into ${cacheFolder()}`);
    await fetchJars(program, lib);
  }
  return join(lib, "*");
}

/** Into a folder beside it first, so that half a download never passes for the whole. */
async function fetchJars(program: JavaProgram, lib: string): Promise<void> {
  await mkdir(dirname(lib), { recursive: true });
  const work = await mkdtemp(join(dirname(lib), "fetch-"));
  try {
    await writeFile(join(work, "pom.xml"), pom(program));
    const goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${work}/lib`];
    await run("mvn", ["-q", "-B", ...goal], { cwd: work, timeout: FETCH_TIMEOUT_MS, maxBuffer: 64 * 1024 ** 2 });
    await rename(join(work, "lib"), lib).catch((error: NodeJS.ErrnoException) => {
      // Somebody else was faster; theirs are the same.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } catch (cause) {
    const { stdout = "", message } = cause as Error & { stdout?: string };
    const reason = /\[ERROR\] (.*)/.exec(stdout)?.[1] ?? message;
    throw new TocsinError("DOWNLOAD_FAILED", `Maven did not fetch ${program.name} ${program.version}: ${reason}`, {
      cause,
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function pom({ name, version, artifacts }: JavaProgram): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, id, its] = artifact.split(":");
    return `<dependency><groupId>${group}</groupId><artifactId>${id}</artifactId><version>${its}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>tocsin.servers</groupId><artifactId>${name}</artifactId><version>${version}</version>
<dependencies>
${dependencies.join("\n")}
</dependencies></project>
`;
}
