// What is known of an archive of light curves before its files are read: which columns hold what. A survey's archive is one
// of these, not code. Called by plan.ts, cli/lightcurves.ts and the API.
import { z } from "zod";
import { TIME_KINDS } from "../../domain/archival.js";
import { TocsinError } from "../../domain/errors.js";
import { provenance, text } from "../provenance.js";

/** Names that a column may have; upper and lower case do not matter. */
const names = z.array(text).min(1).max(20);
const UINT32 = 2 ** 32 - 1;

const definitionSchema = z
  .strictObject({
    ...provenance,
    /** Of a source. A file has a row for each source, with its points in lists, or a row for each point. */
    id: names,
    /** ICRS degrees. */
    ra: names,
    dec: names,
    /** The column, and where it holds no names of bands, what its values mean. */
    band: names.optional(),
    bands: z.record(text, z.string().min(1).max(20)).optional(),
    /** Where all points are of one band. */
    oneBand: z.string().min(1).max(20).optional(),
    /** Days: the column plus `offset` (of a JD -2400000.5) is a time of this kind. */
    time: z.strictObject({
      column: names,
      kind: z.enum(TIME_KINDS),
      offset: z.number().optional(),
      note: text.optional(),
    }),
    magnitude: names,
    magnitudeError: names.optional(),
    colorCoefficient: names.optional(),
    flags: names.optional(),
    /** A point with any of these bits is not good. */
    badFlags: z.number().int().min(0).max(UINT32).optional(),
    /** Columns of a source that are kept as they are, where the files have them. */
    fields: z.array(text).max(50).optional(),
  })
  .refine(({ band, oneBand }) => (band === undefined) !== (oneBand === undefined), {
    message: "either band (a column) or oneBand must be given",
  });
export type ArchivalDefinition = z.infer<typeof definitionSchema>;

const ZTF_DR: ArchivalDefinition = {
  name: "ztf_dr",
  title: "ZTF public data release light curves",
  source: "https://irsa.ipac.caltech.edu/data/ZTF/lc/",
  licence: "Public; acknowledge ZTF as its data releases ask",
  citation: "Masci et al. 2019, PASP 131, 018003",
  id: ["objectid"],
  ra: ["objra", "ra"],
  dec: ["objdec", "dec"],
  band: ["filterid"],
  bands: { "1": "g", "2": "r", "3": "i" },
  time: {
    column: ["hmjd"],
    kind: "hmjd",
    note: "As the release gives it. Files of 32-bit times (as of DR5) resolve 1/256 day, 5.6 minutes.",
  },
  magnitude: ["mag"],
  magnitudeError: ["magerr"],
  colorCoefficient: ["clrcoeff"],
  flags: ["catflags"],
  badFlags: 32_768,
  fields: ["fieldid", "rcid"],
};

const KNOWN: readonly ArchivalDefinition[] = [ZTF_DR];

export const knownArchives = (): readonly ArchivalDefinition[] => KNOWN;

/** What a caller adds to a definition. */
export interface ArchivalOptions {
  /** Of a known archive, or a definition whole; absent: the known archive of this name. */
  readonly definition?: unknown;
  readonly version?: string;
  readonly date?: string;
}

/** The definition under this name, or BAD_CATALOG that names what is wrong with it. */
export function describedArchive(
  name: string,
  { definition = name, ...more }: ArchivalOptions = {},
): ArchivalDefinition {
  const known = typeof definition === "string" ? KNOWN.find((one) => one.name === definition) : definition;
  if (known === undefined) {
    throw new TocsinError("BAD_CATALOG", `There is no known archive of light curves ${String(definition)}.`, {
      remedy: `Known ones are ${KNOWN.map((one) => one.name).join(", ")}; or give a definition: docs/lightcurves.md.`,
    });
  }
  const given = typeof known === "object" && known !== null ? known : {};
  const result = definitionSchema.safeParse({ title: name, ...given, name, ...more });
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const place = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw new TocsinError("BAD_CATALOG", `The definition of ${name}: ${place}${issue.message}.`, {
    remedy: "Correct it; docs/lightcurves.md says what a definition may hold.",
  });
}
