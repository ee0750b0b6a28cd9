// Packets handed to a running service over the socket in its DATA_DIR: the service's side and the callers' side.
// Called by cli/service.ts (handle) and by cli/ingest.ts, cli/simulate.ts (send), cli/records.ask.ts (callService).
import { once } from "node:events";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { TocsinError } from "../domain/errors.js";
import type { LightCurveLoad, LightCurvesTold, LoadedLightCurves } from "../ingest/archival/load.js";
import type { Loaded, LoadRequest, LoadTold } from "../ingest/catalogs/load.js";
import type { Counts } from "../ingest/pipeline.js";
import type { Catalogs } from "./catalogs.js";
import { type DataDirLock, socketPath } from "./datadir.js";
import type { LightCurves } from "./lightcurves.loaded.js";
import type { Records } from "./records.js";

export interface Progress extends Counts {
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** Why the first few dead letters are that. */
  readonly reasons: readonly string[];
  /** Why nothing goes on at the moment, and what would help: a full disk, a lost engine. */
  readonly waitingFor?: string;
}

/** What a service does for the commands of its owner. */
export interface Control {
  /** Read these files and folders (absolute paths) in. Stops early when `signal` is aborted. */
  ingestPaths(paths: readonly string[], onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<Counts>;
  /** Take in one Avro container held in memory. */
  ingestContainer(bytes: Uint8Array, source: string): Promise<Counts>;
}

const MAX_CONTAINER_BYTES = 256 * 1024 * 1024;
const MAX_PATHS_BYTES = 1024 * 1024;

/** What a service does for commands, by where they ask for it. */
export interface Commands {
  readonly control: Control;
  readonly records: Records;
  readonly catalogs: Catalogs;
  readonly lightCurves: LightCurves;
}

export function handleControl(lock: DataDirLock, commands: Commands): void {
  lock.answer((request, response) => {
    answer(request, response, commands).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(400, { "content-type": "application/x-ndjson" });
      const known = error instanceof TocsinError;
      const message = error instanceof Error ? error.message : String(error);
      response.end(
        `${JSON.stringify({ error: { code: known ? error.code : "INTERNAL", message, remedy: known ? error.remedy : "" } })}\n`,
      );
    });
  });
}

/** A command that has DATA_DIR open by itself takes no others: they are told who it is. */
export function refuseControl(lock: DataDirLock): void {
  const code = "DATA_DIR_IN_USE";
  const message = `Another command has DATA_DIR open, the process ${process.pid}.`;
  const error = { code, message, remedy: "Repeat this one when it has ended." };
  lock.answer((_, response) => {
    response.writeHead(409, { "content-type": "application/x-ndjson", connection: "close" });
    response.end(`${JSON.stringify({ error })}\n`);
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { control, records, catalogs, lightCurves }: Commands,
): Promise<void> {
  if (request.url === "/paths") {
    const paths = JSON.parse((await body(request, MAX_PATHS_BYTES)).toString("utf8")) as string[];
    const abort = new AbortController();
    response.on("close", () => abort.abort());
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    const counts = await control.ingestPaths(
      paths,
      (progress) => response.write(`${JSON.stringify({ progress })}\n`),
      abort.signal,
    );
    response.end(`${JSON.stringify({ counts })}\n`);
  } else if (request.url === "/container") {
    const bytes = await body(request, MAX_CONTAINER_BYTES);
    const counts = await control.ingestContainer(bytes, String(request.headers["x-source"] ?? "live"));
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.end(`${JSON.stringify({ counts })}\n`);
  } else if (request.url?.startsWith(RECORDS)) {
    const name = request.url.slice(RECORDS.length) as keyof Records;
    const args = parsed((await body(request, MAX_PATHS_BYTES)).toString("utf8")) as never[];
    if (!Object.hasOwn(records, name)) throw new TocsinError("BAD_ARGUMENT", "The service does not know this command.");
    const answered: unknown = await (records[name] as (...args: never[]) => Promise<unknown>)(...args);
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.end(`${written({ answer: answered })}\n`);
  } else if (request.url === "/catalogs/add") {
    const asked = parsed((await body(request, MAX_PATHS_BYTES)).toString("utf8")) as LoadRequest;
    const abort = new AbortController();
    response.on("close", () => abort.abort());
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    const tell = (loading: LoadTold) => response.write(`${JSON.stringify({ loading })}\n`);
    response.end(`${written({ answer: await catalogs.add(asked, tell, abort.signal) })}\n`);
  } else if (request.url === "/lightcurves/add") {
    const asked = parsed((await body(request, MAX_PATHS_BYTES)).toString("utf8")) as LightCurveLoad;
    const abort = new AbortController();
    response.on("close", () => abort.abort());
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    const tell = (loading: LightCurvesTold) => response.write(`${JSON.stringify({ loading })}\n`);
    response.end(`${written({ answer: await lightCurves.add(asked, tell, abort.signal) })}\n`);
  } else if (request.url === "/lightcurves/list" || request.url === "/lightcurves/remove") {
    const [name] = parsed((await body(request, MAX_PATHS_BYTES)).toString("utf8")) as [string?];
    const answered = name === undefined ? await lightCurves.list() : await lightCurves.remove(name);
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.end(`${written({ answer: answered })}\n`);
  } else if (request.url === "/catalogs/list" || request.url === "/catalogs/remove") {
    const [name] = parsed((await body(request, MAX_PATHS_BYTES)).toString("utf8")) as [string?];
    const answered = name === undefined ? await catalogs.list() : await catalogs.remove(name);
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.end(`${written({ answer: answered })}\n`);
  } else {
    response.writeHead(404).end();
  }
}

const RECORDS = "/records/";

/** JSON in which 64-bit integers keep their digits. */
const written = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === "bigint" ? { long: part.toString() } : part));
const parsed = (text: string): unknown =>
  JSON.parse(text, (_, part) => {
    const isLong = typeof part === "object" && part !== null && Object.keys(part).join() === "long";
    return isLong ? BigInt(part.long) : part;
  });

async function body(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > limit) throw new TocsinError("BAD_ARGUMENT", `The request is larger than ${limit} bytes.`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

interface Line {
  readonly progress?: Progress;
  readonly loading?: unknown;
  readonly counts?: Counts;
  readonly answer?: unknown;
  readonly error?: { code: "INTERNAL"; message: string; remedy: string };
}

/** Counts of an ingest, or the answer of a call. */
async function send<Told = never>(
  dataDir: string,
  path: string,
  payload: string | Uint8Array,
  headers: Record<string, string>,
  onProgress: (progress: Progress) => void,
  onLoading: (told: Told) => void = () => {},
): Promise<unknown> {
  const call = request({ socketPath: socketPath(dataDir), path, method: "POST", headers });
  call.end(payload);
  try {
    const [response] = (await once(call, "response")) as [IncomingMessage];
    for await (const line of linesOf(response)) {
      if (line.error) throw new TocsinError(line.error.code, line.error.message, { remedy: line.error.remedy });
      if (line.progress) onProgress(line.progress);
      if (line.loading) onLoading(line.loading as Told);
      if (line.counts) return line.counts;
      if (line.answer !== undefined) return line.answer;
    }
  } catch (error) {
    throw error instanceof TocsinError ? error : serviceEnded(error);
  }
  throw serviceEnded();
}

const serviceEnded = (cause?: unknown): TocsinError =>
  new TocsinError("ENGINE_UNAVAILABLE", "The service ended before it had taken everything in.", {
    remedy: "Start it again and repeat the command; what is stored already counts as duplicates.",
    cause,
  });

/** Throws where the other side is cut off, which node:readline would not tell. */
async function* linesOf(response: IncomingMessage): AsyncGenerator<Line> {
  let rest = "";
  for await (const text of response.setEncoding("utf8")) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield parsed(line) as Line;
  }
}

export function sendPaths(
  dataDir: string,
  paths: readonly string[],
  onProgress: (progress: Progress) => void,
): Promise<Counts> {
  const headers = { "content-type": "application/json" };
  return send(dataDir, "/paths", JSON.stringify(paths), headers, onProgress) as Promise<Counts>;
}

export function sendContainer(dataDir: string, bytes: Uint8Array, source: string): Promise<Counts> {
  const headers = { "content-type": "application/avro", "x-source": source };
  return send(dataDir, "/container", bytes, headers, () => {}) as Promise<Counts>;
}

/** A method of Records in the service that has the folder open. */
export function callService<Name extends keyof Records>(
  dataDir: string,
  name: Name,
  args: Parameters<Records[Name]>,
): ReturnType<Records[Name]> {
  const headers = { "content-type": "application/json" };
  return send(dataDir, `${RECORDS}${name}`, written(args), headers, () => {}) as ReturnType<Records[Name]>;
}

/** Catalogs in the service that has the folder open. */
export function catalogsOf(dataDir: string): Catalogs {
  const call = (path: string, payload: unknown, onLoading?: (told: LoadTold) => void) =>
    send(dataDir, path, written(payload), { "content-type": "application/json" }, () => {}, onLoading);
  return {
    add: (request, onLoading) => call("/catalogs/add", request, onLoading) as Promise<Loaded>,
    list: () => call("/catalogs/list", []) as ReturnType<Catalogs["list"]>,
    remove: (name) => call("/catalogs/remove", [name]) as Promise<boolean>,
  };
}

/** Archives of light curves in the service that has the folder open. */
export function lightCurvesOf(dataDir: string): LightCurves {
  const call = (path: string, payload: unknown, onLoading?: (told: LightCurvesTold) => void) =>
    send(dataDir, path, written(payload), { "content-type": "application/json" }, () => {}, onLoading);
  return {
    add: (request, onLoading) => call("/lightcurves/add", request, onLoading) as Promise<LoadedLightCurves>,
    list: () => call("/lightcurves/list", []) as ReturnType<LightCurves["list"]>,
    remove: (name) => call("/lightcurves/remove", [name]) as Promise<boolean>,
  };
}
