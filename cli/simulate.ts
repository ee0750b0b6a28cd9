// `npm run simulate`: a seeded sky into files, or live into the running service. Called by cli/program.ts.
import { TocsinError } from "../domain/errors.js";
import { jdFromEpochMs } from "../domain/time.js";
import { addCounts, noCounts } from "../ingest/pipeline.js";
import type { SimulatedAlert } from "../ingest/simulator/sky.js";
import { container, packetMaker, simulate, writeSimulation } from "../ingest/simulator/write.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { sendContainer } from "./control.js";
import { isOpen } from "./datadir.js";
import { printOutcome } from "./outcome.js";
import { showProgress } from "./progress.js";
import type { Settings } from "./settings.js";

export interface SimulateOptions {
  readonly alerts: number;
  readonly nights: number;
  readonly seed: string;
  readonly out?: string;
  readonly live?: number;
  /** The date at whose midnight (UTC) the sky ends; absent: today. */
  readonly until?: string;
  /** Ids; the first one gets four fifths of the alerts where there are two. */
  readonly survey: readonly string[];
}

/** How many alerts each survey gets: all but the first share a fifth, as Rubin's early nights are to ZTF's. */
export function shares(surveys: readonly string[], alerts: number): Map<string, number> {
  const [first, ...others] = surveys;
  const rest = others.length === 0 ? 0 : Math.floor(alerts / 5);
  const counts = new Map([[first!, alerts - rest]]);
  others.forEach((survey, i) => {
    counts.set(survey, Math.floor((rest * (i + 1)) / others.length) - Math.floor((rest * i) / others.length));
  });
  return counts;
}

export async function simulateCommand(settings: Settings, options: SimulateOptions): Promise<void> {
  const surveys = options.survey.length > 0 ? options.survey : SURVEYS.map(({ description }) => description.id);
  const alerts = simulate({
    seed: options.seed,
    nights: options.nights,
    endJd: midnight(options.until === undefined ? Date.now() : Date.parse(options.until)),
    alerts: shares(surveys, options.alerts),
  });
  if (options.live !== undefined) {
    if (!(await isOpen(settings.DATA_DIR))) {
      throw new TocsinError("ENGINE_UNAVAILABLE", `No service runs on ${settings.DATA_DIR}.`, {
        remedy: "Start it with `npm start` in another terminal, then repeat this command.",
      });
    }
    const sums = noCounts();
    await sendLive(alerts, options.seed, options.live, async (bytes) => {
      addCounts(sums, await sendContainer(settings.DATA_DIR, bytes, "simulator"));
    });
    printOutcome(sums);
  } else {
    await writeFiles(alerts, options.seed, options.out ?? "simulated");
  }
}

/** The sky ends there, so that who repeats a command the same day makes the same packets and not others of the same ids. */
const midnight = (epochMs: number): number => Math.floor(jdFromEpochMs(epochMs) - 0.5) + 0.5;

async function writeFiles(alerts: readonly SimulatedAlert[], seed: string, folder: string): Promise<void> {
  const view = showProgress("simulate");
  const files = await writeSimulation(folder, alerts, seed, (done) =>
    view.update(done, alerts.length, `${done} of ${alerts.length} alerts`),
  );
  view.stop();
  process.stdout.write(`${alerts.length} alerts in ${files.length} files and truth.jsonl in ${folder}\n`);
}

const TICK_MILLISECONDS = 250;

/** Send the alerts at `rate` per second, in small containers, oldest first. Ends with the last alert or on `signal`. */
export async function sendLive(
  alerts: readonly SimulatedAlert[],
  seed: string,
  rate: number,
  send: (container: Uint8Array) => Promise<unknown>,
  signal?: AbortSignal,
): Promise<void> {
  const packet = packetMaker(seed);
  const startedAt = performance.now();
  let sent = 0;
  while (sent < alerts.length && !signal?.aborted) {
    const due = Math.min(alerts.length, Math.ceil(((performance.now() - startedAt) / 1000) * rate));
    const surveys = new Map<string, SimulatedAlert[]>();
    for (const alert of alerts.slice(sent, due)) {
      surveys.set(alert.survey, [...(surveys.get(alert.survey) ?? []), alert]);
    }
    for (const [survey, own] of surveys) await send(container(survey, own.map(packet)));
    sent = Math.max(sent, due);
    await new Promise((resolve) => setTimeout(resolve, TICK_MILLISECONDS));
  }
}
