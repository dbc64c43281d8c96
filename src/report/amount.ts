/** Rows as people read them: 12 rows, 34 k rows, 2.1 M rows. */
export function rowsText(rows: number): string {
  if (rows === 1) return "1 row"
  return `${scaled(rows, 1000, ["", " k", " M", " G"])} rows`
}

/** Bytes as PostgreSQL's pg_size_pretty names them: 16 kB, 610 MB, 4.2 GB. */
export function bytesText(bytes: number): string {
  return scaled(bytes, 1024, [" B", " kB", " MB", " GB", " TB"])
}

/** One decimal below ten, so that 1.4 does not look like 1. */
function scaled(value: number, step: number, units: readonly string[]): string {
  let rest = value
  let power = 0
  while (Math.round(rest) >= step && power < units.length - 1) {
    rest /= step
    power++
  }
  const digits = power > 0 && rest < 9.95 ? rest.toFixed(1).replace(/\.0$/, "") : String(Math.round(rest))
  return `${digits}${units[power] ?? ""}`
}
