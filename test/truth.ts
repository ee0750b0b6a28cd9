// Simulated packets with what avsc reads in them: the independent truth of tests that count what the service kept.
import type { Survey } from "../domain/survey.js";
import { avscType } from "../ingest/avro/avsc.fixture.js";
import { container, packetMaker, simulate } from "../ingest/simulator/write.js";
import { surveyModule } from "../ingest/surveys/index.js";

/** Fields of ZTF's candidate or of Rubin's diaSource, as avsc reads them. */
export type Fields = Readonly<Record<string, number | bigint | string | boolean | null>>;

export interface TrueAlert {
  readonly survey: Survey;
  readonly candid: string;
  readonly objectId: string;
  /** Name of the simulated source: both surveys see the lasting ones. */
  readonly source: string;
  readonly fields: Fields;
  /** Body of the Avro record. */
  readonly body: Buffer;
  /** Ids of the points that the packet tells: candids, and images without and with forced photometry. */
  readonly detections: readonly string[];
  readonly nonDetections: readonly string[];
  readonly forced: readonly string[];
}

interface ZtfRecord {
  objectId: string;
  candid: bigint;
  candidate: Fields;
  prv_candidates: Fields[] | null;
  fp_hists: Fields[] | null;
}
interface LsstRecord {
  diaSourceId: bigint;
  diaSource: Fields;
  prvDiaSources: Fields[] | null;
  prvDiaForcedSources: Fields[] | null;
}

/** Oldest first: all the alerts of a seeded sky. */
export const trueAlerts = (seed: string, alerts: ReadonlyMap<Survey, number>): TrueAlert[] => [
  ...eachTrueAlert(seed, alerts),
];

/** The same one by one, for skies whose packets do not fit into memory together. */
export function* eachTrueAlert(seed: string, alerts: ReadonlyMap<Survey, number>): Generator<TrueAlert> {
  const sky = simulate({ seed, nights: 20, endJd: 2_461_000.5, alerts });
  const packet = packetMaker(seed);
  const types = new Map([...alerts.keys()].map((id) => [id, avscType(surveyModule(id).simulated.schema)]));
  for (const alert of sky) {
    const { survey } = alert;
    const { body } = packet(alert);
    const record: unknown = types.get(survey)!.fromBuffer(body);
    const objectId = surveyModule(survey).simulated.objectId(alert);
    const told = survey === "ZTF" ? ofZtf(record as ZtfRecord) : ofLsst(record as LsstRecord);
    yield { survey, objectId, source: alert.source.name, body, ...told };
  }
}

function ofZtf({ candid, candidate, prv_candidates, fp_hists }: ZtfRecord) {
  const earlier = prv_candidates ?? [];
  const found = earlier.filter((point) => point.candid !== null);
  return {
    candid: String(candid),
    fields: candidate,
    detections: [String(candid), ...found.map((point) => String(point.candid))],
    nonDetections: earlier.filter((point) => point.candid === null).map((point) => String(point.pid)),
    forced: (fp_hists ?? []).map((point) => String(point.pid)),
  };
}

function ofLsst({ diaSourceId, diaSource, prvDiaSources, prvDiaForcedSources }: LsstRecord) {
  return {
    candid: String(diaSourceId),
    fields: diaSource,
    detections: [diaSource, ...(prvDiaSources ?? [])].map((point) => String(point.diaSourceId)),
    nonDetections: [],
    forced: (prvDiaForcedSources ?? []).map((point) => `${point.visit} ${point.detector}`),
  };
}

/** An Avro container file of one survey's alerts. */
export const containerOf = (alerts: readonly TrueAlert[]): Buffer => container(alerts[0]!.survey, alerts);

/** Objects of two surveys that are one simulated source, both ways round. */
export function sameSources(truth: readonly Pick<TrueAlert, "survey" | "source" | "objectId">[]): Set<string> {
  const of = (survey: string) =>
    new Map(truth.filter((alert) => alert.survey === survey).map(({ source, objectId }) => [source, objectId]));
  const lsst = of("LSST");
  return new Set(
    [...of("ZTF")].flatMap(([source, objectId]) => {
      const other = lsst.get(source);
      return other === undefined ? [] : [`ZTF:${objectId} LSST:${other}`, `LSST:${other} ZTF:${objectId}`];
    }),
  );
}
