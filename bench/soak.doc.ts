// The soak's part of docs/reliability.md and its picture, made anew by each full run. Used by soak.bench.ts.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { BenchResult } from "./harness.js";
import { type Panel, plot } from "./soak.plot.js";
import type { Sample } from "./soak.sample.js";

const DOC = "docs/reliability.md";
const PICTURE = "docs/images/soak.svg";
const [BEGIN, END] = ["<!-- soak: written by `npm run bench -- soak` -->", "<!-- /soak -->"];
const WORDS = `## Soak

\`npm run bench -- soak [--minutes=30] [--rate=500] [--subscribers=100]\`: a service as a process of its own on embedded
engines, alerts of the simulator at a steady rate (four fifths ZTF, a fifth Rubin; cutouts cut to 600 bytes each, so that
half an hour fits on the disk), 25 active filters, and graphql-ws subscribers, each on a connection of its own. Looked at
every ten seconds. Latency is from the packet's sending to its hit at a subscriber.
`;

/** Relative to the working directory, which is the project's for every benchmark. */
export async function writeSoak(result: BenchResult, samples: readonly Sample[]): Promise<void> {
  await mkdir("docs/images", { recursive: true });
  await writeFile(PICTURE, picture(samples));
  const doc = await readFile(DOC, "utf8").catch(
    () => "# Reliability: what was broken on purpose, and what came of it\n",
  );
  const section = doc.includes(BEGIN) ? doc : `${doc.trimEnd()}\n\n${WORDS}\n${BEGIN}\n${END}\n`;
  const [from, to] = [section.indexOf(BEGIN) + BEGIN.length, section.indexOf(END)];
  await writeFile(DOC, `${section.slice(0, from)}\n${block(result)}\n${section.slice(to)}`);
}

function block({ sizes, rows, goals, figures }: BenchResult): string {
  const cpu = figures?.cpuMillisecondsPerAlert as { service: number; engine: number };
  const growth = figures?.growthPerHour as Record<string, number>;
  const heads = Object.keys(rows[0]!);
  return [
    `${sizes.minutes} minutes at ${sizes["alerts/s sent"]} alerts/s on ${figures?.cores} cores: ${number(Number(sizes.alerts))} alerts of ` +
      `${number(Number(sizes.bytesPerPacket) / 1024)} KiB, ${sizes.subscribers} subscribers, ${sizes.filters} filters, ${sizes.samples} samples; medians of a third.`,
    "",
    `| ${heads.join(" | ")} |`,
    `| ${heads.map(() => "---").join(" | ")} |`,
    ...rows.map((row) => `| ${heads.map((head) => cell(row[head]!)).join(" | ")} |`),
    "",
    `CPU per alert: service ${cpu.service.toFixed(2)} ms, engine ${cpu.engine.toFixed(2)} ms. Growth over the last two thirds, by least squares: ` +
      `service ${number(growth.serviceRssMb!)} MiB an hour, of it heap ${number(growth.heapMb!)}; engine ${number(growth.engineRssMb!)}.`,
    "",
    ...goals.map(({ text, reached, met }) => `- ${met ? "met" : "**MISSED**"}: ${text}: ${reached}`),
    "",
    "![memory, handles, rates and latencies over time](images/soak.svg)",
  ].join("\n");
}

const cell = (value: number | string): string => (typeof value === "number" ? number(value) : value);
const number = (value: number): string => Number(value.toPrecision(3)).toLocaleString("en-US");

function picture(samples: readonly Sample[]): string {
  const line = (name: string, key: keyof Sample) => ({ name, values: samples.map((sample) => sample[key]) });
  const panels: Panel[] = [
    { title: "alerts a second", lines: [line("stored", "alertsPerSecond"), line("hits", "hitsPerSecond")] },
    { title: "hit latency, ms", lines: [line("p50", "p50Ms"), line("p99", "p99Ms")] },
    {
      title: "memory, MiB",
      lines: [
        line("service RSS", "serviceRssMb"),
        line("engine RSS", "engineRssMb"),
        line("JavaScript heap", "heapMb"),
      ],
    },
    {
      title: "handles and parts",
      lines: [
        line("service handles", "serviceHandles"),
        line("engine handles", "engineHandles"),
        line("parts", "parts"),
      ],
    },
    { title: "disk, MiB", lines: [line("archive", "archiveMb"), line("packets", "packetsMb")] },
  ];
  return plot(
    samples.map(({ seconds }) => seconds / 60),
    panels,
  );
}
