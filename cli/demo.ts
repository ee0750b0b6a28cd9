// `npm run demo`: a service in a temporary folder, filled with a simulated sky, with a filter whose hits are printed as
// they happen. Called by cli/program.ts.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "graphql-ws";
import type { Logger } from "pino";
import WebSocket from "ws";
import { jdFromEpochMs } from "../domain/time.js";
import type { SimulatedAlert } from "../ingest/simulator/sky.js";
import { simulate, writeSimulation } from "../ingest/simulator/write.js";
import { SURVEYS, surveyModule } from "../ingest/surveys/index.js";
import { showProgress } from "./progress.js";
import { type RunningService, startService } from "./serve.js";
import type { Settings } from "./settings.js";
import { sendLive, shares } from "./simulate.js";

const ALERTS = 3_000;
const NIGHTS = 20;
const SEED = "demo";
/** Alerts a second of the live part. */
const RATE = 4;
const FILTER = {
  name: "bright and real",
  survey: "ZTF",
  where: "drb > 0.8 and isPositive and magpsf < 19.5 and not (ssdistnr between 0 and 12)",
  annotations: [
    { name: "mag", expression: "round(magpsf, 2)" },
    { name: "detections", expression: "ndethist" },
  ],
};

export async function demo(settings: Settings, log: Logger): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tocsin-demo-"));
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort()).once("SIGTERM", () => stop.abort());
  let service: RunningService | null = null;
  try {
    say("Starting the service on its embedded engines …");
    service = await startService({ ...settings, DATA_DIR: join(folder, "data") }, log);
    const sky = simulate({
      seed: SEED,
      nights: NIGHTS,
      endJd: jdFromEpochMs(Date.now()),
      alerts: shares(
        SURVEYS.map(({ description }) => description.id),
        ALERTS,
      ),
    });
    const lastNight = sky.at(-1)!.measurement.visit.jd - 0.7;
    const past = sky.filter(({ measurement }) => measurement.visit.jd < lastNight);
    const tonight = sky.slice(past.length);

    await fill(service, past, folder, stop.signal);
    const filterId = await createFilter(service);
    printPage(service, past);
    say(
      `\nTonight: ${tonight.length} alerts, ${RATE} a second. Hits of the filter "${FILTER.name}":\n  ${FILTER.where}\n`,
    );
    const unsubscribe = printHits(service, filterId);
    const { control } = service;
    await sendLive(tonight, SEED, RATE, (bytes) => control!.ingestContainer(bytes, "demo"), stop.signal);
    if (!stop.signal.aborted) {
      say("\nThe night is over. The service goes on until you press Ctrl-C.");
      await new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve(), { once: true }));
    }
    unsubscribe();
  } finally {
    await service?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function fill(
  service: RunningService,
  past: readonly SimulatedAlert[],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const view = showProgress("sky   ");
  const files = await writeSimulation(join(folder, "sky"), past, SEED, (done) =>
    view.update(done, past.length, `${done} alerts simulated`),
  );
  view.stop();
  const counts = await service.control!.ingestPaths(files, () => {}, signal);
  say(`${counts.stored} alerts of the last ${NIGHTS} nights are in the archive.`);
}

async function graphql<T>(service: RunningService, query: string, variables: object): Promise<T> {
  const response = await fetch(`${service.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: T; errors?: { message: string }[] };
  if (data === undefined || errors !== undefined) throw new Error(errors?.[0]?.message ?? `HTTP ${response.status}`);
  return data;
}

async function createFilter(service: RunningService): Promise<string> {
  const mutation = "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }";
  const data = await graphql<{ createFilter: { id: string } }>(service, mutation, { input: FILTER });
  return data.createFilter.id;
}

/** The address of the query page and three queries on objects of this sky. */
function printPage(service: RunningService, past: readonly SimulatedAlert[]): void {
  const novae = past.filter(({ survey, source }) => survey === "ZTF" && source.kind === "supernova");
  const elsewhere = new Set(past.filter(({ survey }) => survey !== "ZTF").map(({ source }) => source));
  const nova = novae.findLast(({ source }) => elsewhere.has(source)) ?? novae.at(-1) ?? past.at(-1)!;
  const { ra, dec } = nova.source;
  const objectId = surveyModule(nova.survey).simulated.objectId(nova);
  say(`
Query page: ${service.url}/   (works offline)   GraphQL: ${service.url}/graphql

1. The light curve of a supernova:
   { object(survey: ${nova.survey}, objectId: "${objectId}") { alertCount lightCurve { detections { time band magnitude } nonDetections { time band limitingMagnitude } } } }
2. What is within an arcminute of it, in every survey:
   { coneSearch(ra: ${ra.toFixed(6)}, dec: ${dec.toFixed(6)}, radiusArcsec: 60) { edges { separationArcsec node { survey objectId counterparts { separationArcsec } } } } }
3. The newest asteroids:
   { alerts(where: { survey: ZTF, class: "solar-system" }, first: 5) { edges { node { time candid solarSystemName magnitude band cutouts { difference } } } } }`);
}

interface HitMessage {
  readonly filterHits: {
    readonly cursor: string;
    readonly annotations: Record<string, unknown>;
    readonly alert: { objectId: string; candid: string; band: string; magnitude: number | null; class: string | null };
  };
}

function printHits(service: RunningService, filterId: string): () => void {
  const client = createClient({
    url: `${service.url.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
  });
  const query = `subscription ($ids: [ID!]!) {
    filterHits(filterIds: $ids) { cursor annotations alert { objectId candid band magnitude class } }
  }`;
  const unsubscribe = client.subscribe<HitMessage>(
    { query, variables: { ids: [filterId] } },
    {
      next({ data }) {
        if (!data) return;
        const { alert, annotations } = data.filterHits;
        const magnitude = alert.magnitude?.toFixed(2) ?? "  -  ";
        say(`hit  ${alert.objectId}  ${alert.band} ${magnitude}  ${alert.class}  ${JSON.stringify(annotations)}`);
      },
      error: (error) => say(`The subscription ended: ${JSON.stringify(error)}`),
      complete: () => {},
    },
  );
  return () => {
    unsubscribe();
    void client.dispose();
  };
}
