// A filter over the archive: a million alerts with the history that their packets told. Run by bench/main.
import { createFilterDesign } from "../filters/design/design.js";
import { fieldsOfSurveys } from "../filters/fields.js";
import { histories } from "../ingest/enrich/history.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import type { ArchiveClient } from "../stores/archive/client.js";
import { precedence } from "../stores/archive/precedence.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import { startTestArchive } from "../test/archive.js";
import { type BenchResult, residentBytesOf, spread, timed } from "./harness.js";

const START = 2460600.5;
const ALERTS_PER_OBJECT = 20;
/** Days between an object's alerts, and between its limits. */
const [ALERT_DAYS, LIMIT_DAYS] = [1.5, 1];
const NIGHTS = ALERTS_PER_OBJECT * ALERT_DAYS;
const VIEWER = { scope: "public", programids: new Map([["ZTF", [1]]]), mayChange: false };

const FILTERS = {
  "single values": "drb > 0.5 and isPositive and magpsf < 19 and not (sgscore1 > 0.76 and distpsnr1 < 2)",
  "with history": `drb > 0.5 and isPositive and magpsf < 19 and not (sgscore1 > 0.76 and distpsnr1 < 2)
    and count(detections, isPositive and magpsf < 20) >= 2 and jd - min(detections, jd) < 20
    and not has(nonDetections, alert.jd - jd < 0.2 and diffmaglim > 20.9)`,
  "history of every alert": "count(detections, magpsf < 19.5) >= 3 and not has(nonDetections, diffmaglim > 20.95)",
} as const;

export async function run(smoke: boolean, options: Readonly<Record<string, string>> = {}): Promise<BenchResult> {
  const alerts = Number(options.alerts ?? (smoke ? 20_000 : 1_000_000));
  const rounds = smoke ? 1 : 3;
  const archive = await startTestArchive();
  try {
    const descriptions = SURVEYS.map(({ description }) => description);
    const stores = await createArchiveStores(archive.client, descriptions);
    await fill(archive.client, alerts / ALERTS_PER_OBJECT);
    const design = createFilterDesign(fieldsOfSurveys(descriptions, [histories(descriptions)]));
    const window = { survey: "ZTF", startJd: START, endJd: START + NIGHTS };
    const pids = [archive.pid()!];
    const rows: Record<string, number | string>[] = [];
    const rates = new Map<string, number>();
    for (const [name, where] of Object.entries(FILTERS)) {
      const parts = design.parts("ZTF", where);
      const timings = [];
      let [passed, rss] = [0, 0];
      for (let round = 0; round < rounds; round++) {
        const one = await timed(
          () => stores.backtest.run(VIEWER, window, parts, { first: 100, after: null, counted: true }),
          pids,
        );
        const nights = one.value.nights!;
        const scanned = nights.reduce((sum, night) => sum + night.scanned, 0);
        if (scanned !== alerts) throw new Error(`${scanned} alerts were looked at, not ${alerts}`);
        passed = nights.reduce((sum, night) => sum + night.passed, 0);
        rss = Math.max(rss, residentBytesOf(pids));
        timings.push(one);
      }
      const wall = spread(timings.map(({ wallSeconds }) => wallSeconds));
      const cpu = spread(timings.map(({ cpuSeconds }) => cpuSeconds)).median;
      rates.set(name, alerts / wall.median);
      rows.push({
        ...{ filter: name, passed, "wall s": wall.median, "alerts/s": alerts / wall.median, "CPU s": cpu },
        ...{ "alerts per CPU s": alerts / cpu, "RSS MB": rss / 1e6 },
      });
    }
    const rate = rates.get("with history")!;
    const goal = {
      text: "at least 100,000 alerts/s, one filter over alerts with history",
      reached: `${Math.round(rate).toLocaleString("en-US")} alerts/s`,
      met: rate >= 100_000,
    };
    const sizes = { alerts, objects: alerts / ALERTS_PER_OBJECT, nights: NIGHTS, rounds };
    return { name: "backtest", sizes, rows, ratios: {}, goals: [goal], figures: { alertsPerSecond: rate } };
  } finally {
    await archive.stop();
  }
}

/** Alerts of a month as the pipeline would have written them, made by the engine out of numbers. */
async function fill(client: ArchiveClient, objects: number): Promise<void> {
  const batch = 1_000_000n << 20n;
  const place = `cityHash64(o) % 100000`;
  const jd = (k: string) => `${START} + ${k} * ${ALERT_DAYS} + (o % 10007) / 30000`;
  const candid = (k: string) => `toInt64(2500000000000000000 + ${k} * 1000000000 + o)`;
  const number = (salt: number, least: number, most: number) =>
    `${least} + (${most} - ${least}) * (cityHash64(o, k, ${salt}) % 1000000) / 1000000`;
  const objectId = "concat('ZTF24', leftPad(toString(o), 8, '0'))";
  await client.command(`INSERT INTO batches (batch, survey) VALUES (${batch}, 'ZTF')`);
  for (let k = 0; k < ALERTS_PER_OBJECT; k++) {
    await client.command(
      `INSERT INTO alerts_ztf (candid, objectId, jd, ra, dec, galLat, band, magnitude, magnitudeError, isPositive, programid,
        class, drb, rb, magpsf, sigmapsf, sgscore1, distpsnr1, ndethist, jdstarthist, batch)
      SELECT ${candid("k")}, ${objectId}, ${jd("k")}, (${place}) / 300, 20, 40, if(k % 2, 'g', 'r'), m, 0.1,
        cityHash64(o, k) % 5 > 0, 1, 'unknown', ${number(1, 0, 1)}, ${number(2, 0, 1)}, m, 0.1, ${number(3, 0, 1)},
        ${number(4, 0, 20)}, k + 1, ${jd("0")}, ${batch}
      FROM (SELECT number AS o, ${k} AS k, ${number(5, 17, 21)} AS m FROM numbers(${objects})) ORDER BY 3, 1`,
    );
  }
  const told = (k: string) => precedence(`(${jd(k)})`, candid(k));
  const last = `${ALERTS_PER_OBJECT - 1}`;
  await client.command(
    `INSERT INTO tellings (survey, objectId, kind, pointId, valuesHash, jd, band, magnitude, magnitudeError, isPositive,
      programid, firstTold, lastTold)
    SELECT 'ZTF', ${objectId}, 1, ${candid("k")}, 1, ${jd("k")}, if(k % 2, 'g', 'r'), ${number(5, 17, 21)}, 0.1,
      cityHash64(o, k) % 5 > 0, 1, ${told("k")}, ${told(last)}
    FROM (SELECT number AS o, arrayJoin(range(${ALERTS_PER_OBJECT})) AS k FROM numbers(${objects}))`,
  );
  const seenBy = `toUInt64(ceil(k * ${LIMIT_DAYS} / ${ALERT_DAYS}))`;
  await client.command(
    `INSERT INTO tellings (survey, objectId, kind, pointId, valuesHash, jd, band, limitingMagnitude, programid, firstTold, lastTold)
    SELECT 'ZTF', ${objectId}, 2, k, 1, ${START} + k * ${LIMIT_DAYS} - 0.01, 'g', ${number(6, 19, 21)}, 1, ${told(seenBy)}, ${told(last)}
    FROM (SELECT number AS o, arrayJoin(range(${Math.floor((ALERTS_PER_OBJECT - 1) * ALERT_DAYS)})) AS k FROM numbers(${objects}))`,
  );
}
