// What a survey tells the house: one module each, listed in index.ts. Called by ingest/decode.ts and
// the steps in ingest/enrich.
import type { Block, Column } from "../../domain/columns.js";
import type { SurveyDescription } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type { CutoutKind } from "../../stores/packets.store.js";
import type { Decoded, Layout } from "../avro/columnar.js";
import type { PacketRecord } from "../avro/record.js";
import type { RecordNode } from "../avro/schema.js";
import type { SimulatedSurvey } from "../simulator/survey.js";
import type { FormerNames } from "./formernames.js";

export interface SurveyModule {
  readonly description: SurveyDescription;
  /** Is this the schema of this survey's packets, whatever their version? */
  recognises(schema: RecordNode): boolean;
  /** Names of earlier versions; the layout and the columns know those of today only. A shown packet has its own. */
  readonly formerNames: FormerNames;
  /** Which fields of a packet become which columns. */
  readonly layout: Layout;
  normalise(decoded: Decoded): Normalised;
  /** Class of each row by the survey's rules: solar-system, stellar, hosted, hostless or unknown. */
  classify(alerts: Block): string[];
  /** The packet without its cutouts and without history points that the viewer may not see. */
  visiblePacket(record: PacketRecord, viewer: Viewer): PacketRecord;
  /** FITS bytes, not zipped unless they do not unpack; null where the packet has no such cutout. */
  cutout(record: PacketRecord, kind: CutoutKind): Uint8Array | null;
  readonly simulated: SimulatedSurvey;
}

export interface Normalised {
  /**
   * COMMON_FIELDS and INTERNAL_FIELDS (domain/alert.ts) but for what follows from ra and dec and for class, and the
   * survey's own fields. A null in a field that cannot be missing, or a position that is none, makes a dead letter.
   */
  readonly columns: Map<string, Column>;
  /** PHOTOMETRY_FIELDS. */
  readonly photometry: Block;
  readonly toldBy: Uint32Array;
}
