// `npm run cli -- enrich`: values of archived alerts made anew after their step has changed. Called by cli/program.ts.
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Logger } from "pino";
import { FEATURES_STEP, FEATURES_VERSION } from "../domain/features/features.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import type { FeatureKey } from "../stores/features.store.js";
import { withRecords } from "./records.ask.js";
import type { Settings } from "./settings.js";

interface Options {
  readonly before: number;
  readonly survey?: string;
}

export function addEnrichCommand(
  program: Command,
  settings: () => Settings,
  logger: (level: Settings["LOG_LEVEL"]) => Logger,
): void {
  program
    .command("enrich")
    .description("make features of archived alerts anew, oldest first, beside a running service; may be interrupted")
    .addOption(new Option("--step <name>", "whose values").choices([FEATURES_STEP]).default(FEATURES_STEP))
    .option("--before <version>", "where they are missing or of an older version than this", version, FEATURES_VERSION)
    .option("--survey <id>", "only of this survey")
    .action(async ({ before, survey }: Options) => {
      const surveys = survey === undefined ? SURVEYS.map(({ description }) => description.id) : [survey.toUpperCase()];
      await withRecords(settings(), logger("warn"), async ({ reenrich }) => {
        for (const id of surveys) {
          let [seen, made] = [0, 0];
          let after: FeatureKey | null = null;
          do {
            const piece = await reenrich(id, before, after);
            after = piece.after;
            seen += piece.seen;
            made += piece.made;
            process.stderr.write(`${id} ${seen} alerts seen, features of ${made} made\n`);
          } while (after !== null);
          process.stdout.write(`${JSON.stringify({ survey: id, seen, made })}\n`);
        }
      });
    });
}

function version(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > FEATURES_VERSION) {
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${FEATURES_VERSION}, what the step makes now.`);
  }
  return value;
}
