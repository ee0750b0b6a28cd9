// A progress bar on stderr with rate and time left; a line now and then where stderr is no terminal.
// Called by the commands that work long.
import { Presets, SingleBar } from "cli-progress";

export interface ProgressView {
  /** `done` and `total` in the unit of the bar; `text` stands behind it. */
  update(done: number, total: number, text: string): void;
  stop(): void;
}

const LINE_MILLISECONDS = 5_000;

export function showProgress(label: string): ProgressView {
  if (!process.stderr.isTTY) return lines(label);
  const bar = new SingleBar(
    {
      format: `${label} {bar} {percentage}% | {text} | {eta_formatted} left`,
      stream: process.stderr,
      hideCursor: true,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update(done, total, text) {
      if (!started) bar.start(Math.max(1, total), 0, { text });
      started = true;
      bar.setTotal(Math.max(1, total));
      bar.update(done, { text });
    },
    stop: () => bar.stop(),
  };
}

function lines(label: string): ProgressView {
  const startedAt = performance.now();
  let printedAt = startedAt;
  return {
    update(done, total, text) {
      const now = performance.now();
      if (now - printedAt < LINE_MILLISECONDS) return;
      printedAt = now;
      const left = done > 0 ? ((now - startedAt) / 1000) * (total / done - 1) : Number.NaN;
      const percent = Math.floor((100 * done) / Math.max(1, total));
      process.stderr.write(
        `${label} ${percent} % | ${text} | ${Number.isFinite(left) ? Math.ceil(left) : "?"} s left\n`,
      );
    },
    stop: () => {},
  };
}
