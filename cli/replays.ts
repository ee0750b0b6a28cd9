// The replay of dead letters with the schemas of the settings. Called by cli/writing.ts.
import type { Pipeline } from "../ingest/pipeline.js";
import { createReplayer, type Replayer } from "../ingest/replay.js";
import type { DeadLetterStore } from "../stores/deadletters.store.js";
import { outsideRequests } from "../stores/request.js";
import { schemasNear, schemasOfSettings } from "./schemas.js";
import type { Settings } from "./settings.js";

/** What comes from a file is looked up beside it too. Goes on to its end, whatever becomes of the request for it. */
export function letterReplayer(settings: Settings, letters: DeadLetterStore, pipeline: Pipeline): Replayer {
  const replay = createReplayer({
    letters,
    pipeline,
    schemas() {
      const [near, ofTopics] = [schemasNear(settings), schemasOfSettings(settings)];
      return ({ source, partition }) => (partition === undefined ? near(source.split("!")[0]!) : ofTopics);
    },
  });
  return (...call) => outsideRequests(() => replay(...call));
}
