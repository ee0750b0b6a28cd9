// A model loaded once before it is added: what it says of itself is held against its manifest. Called by cli/models.ts.
import { TocsinError } from "../../domain/errors.js";
import type { ModelFolder } from "./folder.js";
import { createScorer } from "./scorer.js";
import { modelKey } from "./states.js";

const ONE_BY_ONE =
  "Its batch is fixed to 1: alerts are given to it one by one, which costs a small model time. Export it with a dynamic batch axis " +
  "(torch.onnx.export: dynamic_axes or dynamic_shapes; tf2onnx: None as the first side).";

/** What is good to know of it. Throws BAD_MODEL where it cannot be used. */
export async function tryModel({ manifest, file }: ModelFolder): Promise<string[]> {
  const scorer = createScorer();
  const key = modelKey(manifest);
  try {
    const outcomes = await scorer.score({
      ...{ kind: "job", provider: "cpu", survey: manifest.surveys[0]!, rows: 0, packets: [], schemas: [] },
      models: [{ key, file, manifest, inputs: [], usable: new Uint8Array() }],
    });
    const outcome = outcomes.get(key)!;
    if ("fault" in outcome) throw new TocsinError("BAD_MODEL", `${file} cannot be used: ${outcome.fault}.`);
    return outcome.scored.oneByOne ? [ONE_BY_ONE] : [];
  } finally {
    scorer.close();
  }
}
