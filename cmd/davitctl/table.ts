// Columns for people: as wide as they need to be, two spaces between.

/** @returns one line for each row */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, width(cell));
    });
  }
  return rows.map((row) =>
    row
      .map((cell, column) => visible(cell) + ' '.repeat((widths[column] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd(),
  );
}

function width(cell: string): number {
  return Array.from(visible(cell)).length;
}

/** Names come from others: what would move the cursor or colour the terminal is shown as `?`. */
function visible(cell: string): string {
  return cell.replaceAll(/\p{Cc}/gu, '?');
}
