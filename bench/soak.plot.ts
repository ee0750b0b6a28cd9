// A small SVG of lines over time, panel below panel. Used by soak.doc.ts.

export interface Panel {
  readonly title: string;
  readonly lines: readonly { readonly name: string; readonly values: readonly number[] }[];
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 150, 56, 150, 22, 20];
const COLOURS = ["#1b6ca8", "#c2410c", "#4d7c0f", "#7e22ce"];

/** `minutes` is the time of each value. Panels begin at zero and share the axis of time. */
export function plot(minutes: readonly number[], panels: readonly Panel[]): string {
  const height = panels.length * HEIGHT;
  const text = `font-family="sans-serif" font-size="11" fill="#333"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ${text}>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...panels.map((panel, n) => `<g transform="translate(0 ${n * HEIGHT})">${drawn(minutes, panel)}</g>`),
    "</svg>\n",
  ].join("\n");
}

function drawn(minutes: readonly number[], { title, lines }: Panel): string {
  const end = minutes.at(-1) ?? 1;
  const most = nice(Math.max(1, ...lines.flatMap(({ values }) => values.filter(Number.isFinite))));
  const x = (minute: number): string => (LEFT + (minute / end) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (value: number): string => (HEIGHT - BOTTOM - (value / most) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const grid = [0, 0.5, 1].map(
    (share) =>
      `<path d="M${LEFT} ${y(share * most)}H${WIDTH - RIGHT}" stroke="#ddd"/>` +
      `<text x="${LEFT - 6}" y="${y(share * most)}" dy="4" text-anchor="end">${label(share * most)}</text>`,
  );
  const times = [0, 0.5, 1].map(
    (share) => `<text x="${x(share * end)}" y="${HEIGHT - 6}" text-anchor="middle">${label(share * end)} min</text>`,
  );
  const curves = lines.map(({ name, values }, n) => {
    const points = values.flatMap((value, i) => (Number.isFinite(value) ? [`${x(minutes[i]!)},${y(value)}`] : []));
    const colour = COLOURS[n % COLOURS.length]!;
    return (
      `<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="1.5"/>` +
      `<text x="${WIDTH - RIGHT + 8}" y="${TOP + 10 + 16 * n}" fill="${colour}">${name}</text>`
    );
  });
  return [`<text x="${LEFT}" y="14" font-weight="bold">${title}</text>`, ...grid, ...times, ...curves].join("");
}

/** The next of 1, 2, 5 times a power of ten. */
function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value)!;
}

const label = (value: number): string => Number(value.toPrecision(3)).toLocaleString("en-US");
