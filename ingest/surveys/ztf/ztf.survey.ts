// ZTF, the Zwicky Transient Facility: alert schemas without version and 3.0 to 4.02. Listed in ../index.ts.
import { maySee } from "../../../domain/viewer.js";
import type { PacketRecord, RecordValue } from "../../avro/record.js";
import { plainFits } from "../cutouts.js";
import type { SurveyModule } from "../survey.js";
import { simulatedZtf } from "./simulated.js";
import { classifyZtf } from "./ztf.class.js";
import { ZTF_CUTS } from "./ztf.cuts.js";
import { ZTF_FIELDS } from "./ztf.fields.js";
import { normaliseZtf, ZTF_LAYOUT } from "./ztf.normalise.js";
import { ZTF_POINT_COLUMNS, ZTF_POINT_FIELDS } from "./ztf.points.js";

const ID = "ZTF";
const CUTOUTS = { science: "cutoutScience", template: "cutoutTemplate", difference: "cutoutDifference" } as const;
const CUTOUT_FIELDS: ReadonlySet<string> = new Set(Object.values(CUTOUTS));
/** Each entry of these carries its own programid. */
const HISTORIES: ReadonlySet<string> = new Set(["prv_candidates", "fp_hists"]);

export const ztf: SurveyModule = {
  description: {
    id: ID,
    title: "Zwicky Transient Facility",
    fields: ZTF_FIELDS,
    pointColumns: ZTF_POINT_COLUMNS,
    pointFields: ZTF_POINT_FIELDS,
    cuts: ZTF_CUTS,
    bands: ["g", "r", "i"],
    publicProgramids: [1],
    counterpartRadiusArcsec: 1.5,
    // Palomar observes from about 2 to 14 h UT.
    nightOffsetHours: 0,
  },
  recognises: (schema) => schema.name === "ztf.alert",
  formerNames: new Map(),
  layout: ZTF_LAYOUT,
  normalise: normaliseZtf,
  classify: classifyZtf,
  visiblePacket(record, viewer) {
    const alertRights = (record.candidate as PacketRecord).programid;
    const visible = (entry: RecordValue) => {
      // A long is text.
      const programid = Number((entry as PacketRecord).programid ?? alertRights ?? Number.NaN);
      return Number.isInteger(programid) && maySee(viewer, ID, programid);
    };
    return Object.fromEntries(
      Object.entries(record)
        .filter(([name]) => !CUTOUT_FIELDS.has(name))
        .map(([name, value]) => [name, HISTORIES.has(name) && Array.isArray(value) ? value.filter(visible) : value]),
    );
  },
  cutout(record, kind) {
    const cutout = record[CUTOUTS[kind]] as PacketRecord | null | undefined;
    return plainFits(cutout?.stampData);
  },
  simulated: simulatedZtf,
};
