// What an ONNX file says of its own inputs and outputs, held against its manifest. Called by scorer.child.ts.
import type { InferenceSession } from "onnxruntime-node";
import { shapeOf } from "./inputs.js";
import type { Manifest } from "./manifest.js";

export type FloatType = "float32" | "float64";

/** How a model wants to be given alerts. */
export interface Taking {
  /** Its batch is fixed to one alert. */
  readonly oneByOne: boolean;
  /** Of each input, in the manifest's order. */
  readonly types: readonly FloatType[];
}

type Told = InferenceSession.ValueMetadata;

/** Throws what is wrong, and what would be right. */
export function takingOf(manifest: Manifest, session: InferenceSession): Taking {
  checkOutputs(manifest, session.outputMetadata);
  const told = manifest.inputs.map((input) => {
    const found = session.inputMetadata.find(({ name }) => name === input.tensor);
    if (found === undefined) throw new Error(`it has no input ${input.tensor}`);
    return checkedInput(found, shapeOf(input));
  });
  return { oneByOne: told.some(({ isSingle }) => isSingle), types: told.map(({ type }) => type) };
}

function checkedInput(told: Told, expected: readonly number[]): { isSingle: boolean; type: FloatType } {
  if (!told.isTensor) throw new Error(`its input ${told.name} is no tensor`);
  const { name, type, shape } = told;
  if (type !== "float32" && type !== "float64") {
    throw new Error(`its input ${name} wants ${type}: let the model cast it from float`);
  }
  const [batch, ...row] = shape;
  const differs = row.length !== expected.length || row.some((side, k) => isFixed(side) && side !== expected[k]);
  // A file may leave a shape open altogether.
  if (shape.length > 0 && differs) {
    throw new Error(`its input ${name} has the shape [${shape.join(", ")}], not [N, ${expected.join(", ")}]`);
  }
  if (isFixed(batch) && batch !== 1) {
    throw new Error(
      `its input ${name} takes batches of ${batch} only: export it with a dynamic batch axis, or with a batch of 1`,
    );
  }
  return { isSingle: batch === 1, type };
}

const isFixed = (side: number | string | undefined): side is number => typeof side === "number" && side > 0;

/** Kinds of numbers that arrive as what they are; a 16-bit float arrives as its bits. */
const READ = new Set([
  ...["float32", "float64", "bool"],
  ...[8, 16, 32, 64].flatMap((bits) => [`int${bits}`, `uint${bits}`]),
]);

/** With as many alerts as names, the shape of an answer does not tell whose is whose: what the model says of itself does. */
function checkOutputs({ outputs }: Manifest, metadata: readonly Told[]): void {
  for (const { tensor, names } of outputs) {
    const told = metadata.find(({ name }) => name === tensor);
    if (told === undefined) throw new Error(`it has no output ${tensor}`);
    if (!told.isTensor) {
      throw new Error(
        `its output ${tensor} is no tensor but a map of each alert: write the model with options={'zipmap': False} (skl2onnx)`,
      );
    }
    const { type, shape } = told;
    if (!READ.has(type)) throw new Error(`its output ${tensor} holds ${type}: let the model cast it to float`);
    const [first, last] = [shape[0], shape.at(-1)];
    const isTurned = isFixed(last) ? last !== names.length : first === names.length;
    if (names.length > 1 && isTurned) {
      throw new Error(`its output ${tensor} has the shape [${shape.join(", ")}], not [N, ${names.length}]`);
    }
  }
}
