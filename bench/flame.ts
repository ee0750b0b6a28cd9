// A flame graph of this process while something runs, as SVG: what the main thread did, by call stack. Used by night.bench.ts.

import { writeFile } from "node:fs/promises";
import { type Profiler, Session } from "node:inspector/promises";

const WIDTH = 1400;
const ROW = 16;
/** Narrower frames are left out, pixels. */
const LEAST = 0.7;
const CHARACTER = 6.2;
const NOT_OURS = ["(idle)", "flameOf"];
const OWN = /\/dist\/(?!bench\/)/;

interface Frame {
  readonly name: string;
  readonly colour: string;
  microseconds: number;
  readonly inner: Map<string, Frame>;
}

/** Runs the work; the file holds its flame graph afterwards. */
export async function flameOf<T>(file: string, title: string, work: () => Promise<T>): Promise<T> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.start");
    const value = await work();
    const { profile } = await session.post("Profiler.stop");
    await writeFile(file, svg(title, framesOf(profile)));
    return value;
  } finally {
    session.disconnect();
  }
}

/** Samples summed up from the root; time without work is left out. */
function framesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Frame {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const root: Frame = { name: "main thread", colour: "#ddd", microseconds: 0, inner: new Map() };
  samples.forEach((sample, at) => {
    const stack: Profiler.ProfileNode[] = [];
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) stack.unshift(byId.get(id)!);
    // Nor does the profiler's own work count.
    if (stack.some(({ callFrame }) => NOT_OURS.includes(callFrame.functionName))) return;
    const microseconds = timeDeltas[at]!;
    root.microseconds += microseconds;
    let frame = root;
    for (const { callFrame } of stack.slice(1)) {
      frame = innerOf(frame, callFrame);
      frame.microseconds += microseconds;
    }
  });
  return root;
}

function innerOf(frame: Frame, { functionName, url }: Profiler.ProfileNode["callFrame"]): Frame {
  const place = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? /\/dist\/(.+)\.js$/.exec(url)?.[1] ?? url;
  const name = `${functionName || "(anonymous)"} ${place}`.trim();
  let inner = frame.inner.get(name);
  if (inner === undefined) {
    inner = { name, colour: colourOf(url, functionName), microseconds: 0, inner: new Map() };
    frame.inner.set(name, inner);
  }
  return inner;
}

function colourOf(url: string, functionName: string): string {
  if (functionName === "(garbage collector)") return "#c9c9c9";
  if (url.includes("/node_modules/")) return "#9ec5e8";
  return OWN.test(url) ? "#f2a65a" : "#e8dcb5";
}

function svg(title: string, root: Frame): string {
  const parts: string[] = [];
  const scale = WIDTH / root.microseconds;
  let deepest = 0;
  const draw = (frame: Frame, x: number, depth: number): void => {
    const width = frame.microseconds * scale;
    if (width < LEAST) return;
    deepest = Math.max(deepest, depth);
    const share = `${((100 * frame.microseconds) / root.microseconds).toFixed(1)} %`;
    const label = frame.name.slice(0, Math.max(0, Math.floor((width - 4) / CHARACTER)));
    parts.push(
      `<g><title>${escaped(frame.name)}: ${share}</title><rect x="${x.toFixed(1)}" y="${depth * ROW}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${frame.colour}"/>` +
        `${label.length > 2 ? `<text x="${(x + 2).toFixed(1)}" y="${depth * ROW + 11}">${escaped(label)}</text>` : ""}</g>`,
    );
    let at = x;
    for (const inner of [...frame.inner.values()].sort((a, b) => b.microseconds - a.microseconds)) {
      draw(inner, at, depth + 1);
      at += inner.microseconds * scale;
    }
  };
  draw(root, 0, 2);
  const legend =
    '<text x="2" y="27">orange: Tocsin · blue: packages · sand: Node · grey: garbage collection · width: share of the main thread\'s time at work</text>';
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${(deepest + 1) * ROW}" font-family="monospace" font-size="10">` +
    `<rect width="100%" height="100%" fill="#fff"/><text x="2" y="12" font-size="12">${escaped(title)}</text>${legend}${parts.join("\n")}</svg>\n`
  );
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
