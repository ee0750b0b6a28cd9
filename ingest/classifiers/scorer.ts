// Runs models over batches in a process of their own, each within its time. Called by ingest/enrich/scores.ts, made by cli/.
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import pLimit from "p-limit";
import type { Answer, Job, Scored } from "./protocol.js";

/** A minute-long model is one; a batch of 1,000 takes a usual one some hundredths of a second. */
const MODEL_MS = 10_000;
/** Reading the cutouts of 1,000 alerts takes about a second. */
const CUTOUTS_MS = 30_000;
/** Starting the process, before it begins with anything. */
const START_MS = 30_000;

/** What libraries are found by, those of CUDA among them. */
const ENVIRONMENT = ["PATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR", "CUDA_VISIBLE_DEVICES"];

export interface Budgets {
  readonly modelMs: number;
  readonly cutoutsMs: number;
}

/** A model's answer, or why there is none for the whole batch. */
export type Outcome = { readonly scored: Scored } | { readonly fault: string };

export interface Scorer {
  /** One outcome for each model of the job, by its key. Never throws; jobs go one after the other. */
  score(job: Job): Promise<Map<string, Outcome>>;
  close(): void;
}

/** The process is started with the first job. */
export function createScorer({ modelMs = MODEL_MS, cutoutsMs = CUTOUTS_MS }: Partial<Budgets> = {}): Scorer {
  const oneByOne = pLimit(1);
  let child: ChildProcess | null = null;
  let closed = false;

  function running(): ChildProcess {
    if (child !== null) return child;
    const started = fork(childFile(), {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: [],
      // Tokens and passwords of the service are none of its business.
      env: Object.fromEntries(ENVIRONMENT.map((name) => [name, process.env[name]])),
    });
    // Before its process is there, what cannot be sent is told by `exit` too.
    started.on("error", () => {});
    started.on("exit", () => {
      if (child === started) child = null;
    });
    child = started;
    return started;
  }

  function kill(): void {
    child?.kill("SIGKILL");
    child = null;
  }

  /** Adds outcomes as they come. Returns when all are there, or with what the process was at when it ended. */
  function attempt(job: Job, outcomes: Map<string, Outcome>): Promise<Broken | null> {
    const process = running();
    return new Promise((resolve) => {
      let at: Broken["at"] = "start";
      let patience = setTimeout(expired, START_MS);
      const listen = (answer: Answer): void => {
        if (answer.kind === "end") {
          settle(null);
          return;
        }
        clearTimeout(patience);
        if (answer.kind === "begin") at = "key" in answer.phase ? answer.phase.key : "cutouts";
        if (answer.kind === "scored") outcomes.set(answer.key, { scored: answer.scored });
        if (answer.kind === "failed") outcomes.set(answer.key, { fault: answer.message });
        patience = setTimeout(expired, at === "cutouts" ? cutoutsMs : modelMs);
      };
      function expired(): void {
        kill();
        settle({ at, why: `it took more than ${(at === "cutouts" ? cutoutsMs : modelMs) / 1_000} s` });
      }
      const ended = () => settle({ at, why: "its process ended" });
      function settle(broken: Broken | null): void {
        clearTimeout(patience);
        process.off("message", listen).off("exit", ended);
        resolve(broken);
      }
      process.on("message", listen).on("exit", ended);
      process.send(job, (error) => {
        if (error) ended();
      });
    });
  }

  async function score(job: Job): Promise<Map<string, Outcome>> {
    const outcomes = new Map<string, Outcome>();
    let left = job.models;
    while (left.length > 0 && !closed) {
      const broken = await attempt({ ...job, models: left }, outcomes);
      if (broken === null) break;
      // Whom it concerns: the model that was running, or all that wait for the same.
      for (const { key, manifest } of left) {
        const concerned =
          broken.at === key ||
          broken.at === "start" ||
          (broken.at === "cutouts" && manifest.inputs.some(({ kind }) => kind === "cutouts"));
        if (concerned && !outcomes.has(key)) outcomes.set(key, { fault: broken.why });
      }
      left = left.filter(({ key }) => !outcomes.has(key));
    }
    for (const { key } of job.models) {
      if (!outcomes.has(key)) outcomes.set(key, { fault: "the service was closing" });
    }
    return outcomes;
  }

  return {
    score: (job) => oneByOne(() => score(job)),
    close() {
      closed = true;
      kill();
    },
  };
}

interface Broken {
  /** Start of the process, reading cutouts, or a model's key. */
  readonly at: "start" | "cutouts" | (string & {});
  readonly why: string;
}

/** Compiled it stands beside this file; where the sources run as they are (tests), in dist. */
function childFile(): string {
  const compiled = import.meta.url.endsWith(".ts") ? "../../dist/ingest/classifiers/" : "./";
  return fileURLToPath(new URL(`${compiled}scorer.child.js`, import.meta.url));
}
