/** Numbers and strangers' text as a terminal shows them. */

/** `1 unit`, `586 units`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** `0.4 s`, `52 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
}

/** `0.05/s`, `4.2/s`, `120/s`: two digits that count. */
export function perSecond(rate: number): string {
  return `${rate >= 100 ? rate.toFixed(0) : Number(rate.toPrecision(2))}/s`;
}

/** `512 bytes`, `4.7 kB`, `58.9 MB`, `553 MB`: three digits that count, of a thousand bytes and so on. */
export function byteCount(bytes: number): string {
  if (bytes < 1000) return counted(bytes, 'byte');
  const units = ['kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length, Math.floor(Math.log10(Number(bytes.toPrecision(3))) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power - 1]}`;
}

/** Text on one line that cannot steer the terminal: names come from model files, and those from strangers. */
export function oneLine(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .trim();
}

/** Rows as columns; numbers to the right, text to the left. The first row is the head. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => oneLine(String(cell))));
  const count = Math.max(0, ...cells.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const toRight = widths.map((_, column) => rows.slice(1).every((row) => typeof row[column] === 'number'));
  return cells
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return toRight[column] ? cell.padStart(width) : cell.padEnd(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
