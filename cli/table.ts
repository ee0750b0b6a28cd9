// Rows of text in columns, for people. Called by the commands that list something.

/** Numbers to the right, names (the first column) to the left. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, k) => rows.reduce((width, row) => Math.max(width, row[k]!.length), name.length));
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, k) => (k === 0 ? cell.padEnd(widths[k]!) : cell.padStart(widths[k]!)))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}
