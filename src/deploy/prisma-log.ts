/** What the logs of a failed history row say, as Prisma's schema engine writes them. */
export interface PrismaLog {
  readonly code: string | undefined
  readonly message: string
  /** The lines around the place, where PostgreSQL gave a position. */
  readonly position: string | undefined
}

const colours = /\u001B\[[0-9;]*m/g

/** Reads the logs that Prisma left; undefined where they are empty: the deployer was killed. */
export function readPrismaLog(logs: string | null): PrismaLog | undefined {
  const text = logs?.replaceAll(colours, "").trim()
  if (!text) return undefined
  const code = /^Database error code: (\S+)/m.exec(text)?.[1]
  const message = /^Database error:\s*\n(?:[A-Z]+: *)?(.+)/m.exec(text)?.[1] ?? text.split("\n", 1)[0] ?? ""
  const position = text.split(/^Position:\n/m)[1]?.split(/\n\s*\n/, 1)[0]
  return { code, message, position }
}
