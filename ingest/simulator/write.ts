// A simulated sky as container files, one per survey and night, with its truth beside them; or as packets one by one.
// Called by cli/simulate.ts, cli/demo.ts, tests and benchmarks.

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Survey } from "../../domain/survey.js";
import { isoFromJd } from "../../domain/time.js";
import { ContainerWriter, recordEncoder } from "../avro/write.js";
import { surveyModule } from "../surveys/index.js";
import { createRandom } from "./random.js";
import { type SimulatedAlert, simulateSky } from "./sky.js";

export interface SimulationOptions {
  readonly seed: string;
  readonly nights: number;
  /** The last night ends before this JD. */
  readonly endJd: number;
  /** Alerts per survey, exactly. */
  readonly alerts: ReadonlyMap<Survey, number>;
}

/** The alerts of the sky, oldest first, without their packets. */
export function simulate(options: SimulationOptions): SimulatedAlert[] {
  const cadences = new Map(
    [...options.alerts.keys()].map((survey) => [survey, surveyModule(survey).simulated.cadence]),
  );
  return simulateSky({ ...options, cadences });
}

export interface EncodedAlert {
  readonly alert: SimulatedAlert;
  /** Body of the Avro record. */
  readonly body: Buffer;
}

/** Makes packets: the same seed and alert give the same bytes, in any order. */
export function packetMaker(seed: string): (alert: SimulatedAlert) => EncodedAlert {
  const encoders = new Map<Survey, ReturnType<typeof recordEncoder>>();
  return (alert) => {
    const { simulated } = surveyModule(alert.survey);
    const encode = encoders.get(alert.survey) ?? recordEncoder(simulated.schema);
    encoders.set(alert.survey, encode);
    const { exposure } = alert.measurement.visit;
    const random = createRandom(`${seed}/${alert.survey}/${exposure}/${alert.measurement.index}`);
    return { alert, body: encode(simulated.packet(alert, random)) };
  };
}

/** One container of one survey's alerts, in memory. */
export function container(survey: Survey, encoded: readonly Pick<EncodedAlert, "body">[]): Buffer {
  const writer = new ContainerWriter(surveyModule(survey).simulated.schema);
  return Buffer.concat([writer.header(), ...encoded.map(({ body }) => writer.block([body]))]);
}

/**
 * Write `<survey>_<night>.avro` and `truth.jsonl` (one line per source and survey that has alerts) into the folder.
 * Returns the paths of the container files.
 */
export async function writeSimulation(
  folder: string,
  alerts: readonly SimulatedAlert[],
  seed: string,
  onAlert: (done: number) => void = () => {},
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const packet = packetMaker(seed);
  const files: string[] = [];
  let done = 0;
  for (const [name, night] of grouped(alerts, fileName)) {
    const path = join(folder, name);
    const writer = new ContainerWriter(surveyModule(night[0]!.survey).simulated.schema);
    const file = createWriteStream(path);
    file.write(writer.header());
    for (const alert of night) {
      if (!file.write(writer.block([packet(alert).body]))) await once(file, "drain");
      done += 1;
      onAlert(done);
    }
    file.end();
    await once(file, "close");
    files.push(path);
  }
  await writeFile(join(folder, "truth.jsonl"), truth(alerts));
  return files;
}

function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** "ZTF_20261120.avro": the night by the UTC date of its exposures. */
const fileName = ({ survey, measurement }: SimulatedAlert): string =>
  `${survey}_${isoFromJd(measurement.visit.jd).slice(0, 10).replaceAll("-", "")}.avro`;

function truth(alerts: readonly SimulatedAlert[]): string {
  const lines: string[] = [];
  for (const own of grouped(alerts, ({ survey, source }) => `${survey} ${source.name}`).values()) {
    const { survey, source } = own[0]!;
    const { kind, name, ra, dec, parameters } = source;
    const objectId = surveyModule(survey).simulated.objectId(own[0]!);
    lines.push(JSON.stringify({ survey, objectId, source: name, kind, ra, dec, alerts: own.length, parameters }));
  }
  return `${lines.join("\n")}\n`;
}
