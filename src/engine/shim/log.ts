/** Writes one line of the schema engine's log: JSON on stderr, as Prisma's CLI parses it. */
export function log(level: "INFO" | "ERROR", fields: Readonly<Record<string, unknown>>, target: string): void {
  process.stderr.write(`${JSON.stringify({ timestamp: new Date().toISOString(), level, fields, target })}\n`)
}

/** Passes on a line that the engine itself logged. */
export function passOn(line: string): void {
  const text = line.trim()
  if (text) process.stderr.write(`${text}\n`)
}
