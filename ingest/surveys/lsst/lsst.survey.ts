// LSST, the Legacy Survey of Space and Time of the Vera C. Rubin Observatory: alert schemas 2.0 to 11.1 and, as far as
// their fields keep their names, later ones. Listed in ../index.ts.
import type { PacketRecord } from "../../avro/record.js";
import { longs } from "../columns.js";
import { plainFits } from "../cutouts.js";
import type { SurveyModule } from "../survey.js";
import { LSST_CUTS } from "./lsst.cuts.js";
import { LSST_BANDS, LSST_FIELDS } from "./lsst.fields.js";
import { LSST_FORMER_NAMES } from "./lsst.formernames.js";
import { LSST_LAYOUT, normaliseLsst } from "./lsst.normalise.js";
import { LSST_POINT_COLUMNS, LSST_POINT_FIELDS } from "./lsst.points.js";
import { simulatedLsst } from "./simulated.js";

const CUTOUTS = { science: "cutoutScience", template: "cutoutTemplate", difference: "cutoutDifference" } as const;
const CUTOUT_FIELDS: ReadonlySet<string> = new Set(Object.values(CUTOUTS));

export const lsst: SurveyModule = {
  description: {
    id: "LSST",
    title: "Vera C. Rubin Observatory, Legacy Survey of Space and Time",
    fields: LSST_FIELDS,
    pointColumns: LSST_POINT_COLUMNS,
    pointFields: LSST_POINT_FIELDS,
    cuts: LSST_CUTS,
    bands: LSST_BANDS,
    publicProgramids: [1],
    counterpartRadiusArcsec: 1.5,
    // Rubin's day_obs: the date at UTC - 12 h.
    nightOffsetHours: 12,
  },
  // Without a version in the name up to the first of 3.0.
  recognises: (schema) => /^lsst\.(v\d+_\d+\.)?alert$/.test(schema.name),
  formerNames: LSST_FORMER_NAMES,
  layout: LSST_LAYOUT,
  normalise: normaliseLsst,
  /** The packet names solar-system objects, but no neighbours in catalogs: nothing else can be told apart. */
  classify(alerts) {
    const { values } = longs(alerts, "ssObjectId");
    return Array.from(values, (id) => (id === 0n ? "unknown" : "solar-system"));
  },
  /** Everything in a Rubin packet is public. */
  visiblePacket: (record) => Object.fromEntries(Object.entries(record).filter(([name]) => !CUTOUT_FIELDS.has(name))),
  cutout(record, kind) {
    const cutout = record[CUTOUTS[kind]];
    // A record up to schema 2.1, as ZTF's.
    return plainFits(cutout instanceof Uint8Array ? cutout : (cutout as PacketRecord | null | undefined)?.stampData);
  },
  simulated: simulatedLsst,
};
