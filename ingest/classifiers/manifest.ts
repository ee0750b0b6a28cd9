// What a model's manifest says, checked: where it comes from, what it is given, what it gives. Read by folder.ts, told to
// the scorer's process as it is.
import { z } from "zod";

/** Names become parts of operands: score.<model>.<output>. */
const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,39}$/, "a letter, then letters, digits or _, at most 40");
const tensor = z.string().min(1).max(200);
const side = z.number().int().min(1).max(512);
/** What an alert without the input gets: a number in its place, or (skip) no scores. */
const missing = z.union([z.literal("skip"), z.number()]);

/** Columns of the alert, its features among them: [N, columns]. */
const valuesInput = z.strictObject({
  tensor,
  kind: z.literal("values"),
  columns: z.array(z.string().min(1).max(200)).min(1).max(1_000),
  /** Text becomes the number that stands here, by column; what is not here is missing. */
  codes: z.record(z.string(), z.record(z.string(), z.number())).default({}),
  missing,
});

/**
 * Elements of lists of the alert (detections, forced, match.<catalog>), a row each: [N, length, fields]. Several lists are
 * one sequence by time. The field `age` is the alert's jd minus the element's, days; any other is the element's own.
 */
const listInput = z.strictObject({
  tensor,
  kind: z.literal("list"),
  lists: z.array(z.string().min(1).max(200)).min(1).max(4),
  fields: z.array(z.string().min(1).max(200)).min(1).max(100),
  codes: z.record(z.string(), z.record(z.string(), z.number())).default({}),
  length: z.number().int().min(1).max(2_000),
  /** Which elements of a longer list: match.<catalog> has its nearest first, histories their latest last. */
  take: z.enum(["first", "last"]),
  /** Fills the rows behind the last element. */
  pad: z.number(),
  /** An element's missing value; with skip an element that lacks one is left out. */
  missing,
});

/**
 * Cutouts of size x size pixels, the first stored row first: [N, stamps, size, size], or [N, size, size, stamps] with
 * channelsLast. normalise: l2 divides each stamp by the root of its sum of squares, peak by its largest absolute value, after
 * missing pixels are filled and before it is padded. braai and ACAI: l2, fill 0, place corner, padding 1e-9.
 */
const cutoutsInput = z.strictObject({
  tensor,
  kind: z.literal("cutouts"),
  cutouts: z
    .array(z.enum(["science", "template", "difference"]))
    .min(1)
    .max(3),
  size: side,
  layout: z.enum(["channelsFirst", "channelsLast"]),
  normalise: z.enum(["none", "l2", "peak"]),
  /** In place of missing pixels; null is NaN. */
  fill: z.number().nullable(),
  /** Where an image of another size lies: about the middle, or from the first pixel on. */
  place: z.enum(["centre", "corner"]).default("centre"),
  /** Beyond the image; null is NaN. */
  padding: z.number().nullable().default(0),
  missing: z.literal("skip"),
});

export type ValuesInput = z.infer<typeof valuesInput>;
export type ListInput = z.infer<typeof listInput>;
export type CutoutsInput = z.infer<typeof cutoutsInput>;

export const manifestSchema = z
  .strictObject({
    name: name.refine((one) => one !== "microlensing", "another name than the fit of microlensing has"),
    version: z.string().regex(/^[\w.+-]{1,40}$/, "letters, digits, _, ., + and - only"),
    licence: z.string().min(1).max(200),
    description: z.string().min(1).max(2_000),
    trainedOn: z.string().min(1).max(2_000),
    quality: z.record(z.string().max(100), z.json()),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, "64 hex digits"),
    surveys: z.array(z.string().min(1).max(40)).min(1).max(20),
    inputs: z
      .array(z.discriminatedUnion("kind", [valuesInput, listInput, cutoutsInput]))
      .min(1)
      .max(16),
    /** Tensors [N] or [N, names], their columns by name. */
    outputs: z
      .array(z.strictObject({ tensor, names: z.array(name).min(1).max(200) }))
      .min(1)
      .max(16),
    /** The class is the largest of these outputs where it reaches the threshold. */
    class: z.strictObject({ of: z.array(name).min(1).max(200), threshold: z.number() }).optional(),
    /** Where nobody has chosen one. */
    state: z.enum(["active", "shadow", "retired"]).default("shadow"),
  })
  .superRefine((manifest, context) => {
    const outputs = outputNames(manifest);
    const twice = outputs.find((output, n) => outputs.indexOf(output) !== n);
    if (twice !== undefined)
      context.addIssue({ code: "custom", path: ["outputs"], message: `${twice} is there twice` });
    const unknown = manifest.class?.of.find((output) => !outputs.includes(output));
    if (unknown !== undefined) {
      context.addIssue({ code: "custom", path: ["class", "of"], message: `${unknown} is no output` });
    }
  });

export type Manifest = z.infer<typeof manifestSchema>;

export const outputNames = ({ outputs }: Pick<Manifest, "outputs">): string[] => outputs.flatMap(({ names }) => names);

export const wantsCutouts = ({ inputs }: Manifest): boolean => inputs.some(({ kind }) => kind === "cutouts");
