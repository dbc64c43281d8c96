import * as z from "zod/mini"

const name = z.string()
const count = z.number().check(z.int(), z.gte(0))
const ms = z.number().check(z.gte(0))
const migrationClass = z.enum(["transactional", "non-transactional", "self-managed"])

/** Who holds the migration lock. */
const lockHolder = z.strictObject({
  pid: count,
  applicationName: z.string(),
  /** "local" for a unix socket. */
  address: z.string(),
  /** How long its current statement or transaction has run, in milliseconds. */
  forMs: z.number(),
  /** The first line of its current or last statement. */
  query: z.string(),
  /** PostgreSQL's percentage, where it builds an index. */
  percent: z.optional(z.number()),
})

export type LockHolder = Readonly<z.infer<typeof lockHolder>>

const event = <const E extends string, const S extends z.core.$ZodLooseShape>(named: E, shape: S) =>
  z.strictObject({ event: z.literal(named), ...shape })

/** What happens during a deploy, as it happens. Durations are milliseconds. Loaded only where answers are checked. */
export const deployEvent = z.discriminatedUnion("event", [
  event("began", {
    version: z.string(),
    /** The folder's digest; its first twelve digits are shown. */
    history: z.string(),
    migrations: count,
    ...{ host: z.string(), port: count, database: z.string(), databaseSchema: z.string() },
  }),
  event("waiting-for-database", { reason: z.string(), waitedMs: ms }),
  event("database-created", { database: z.string() }),
  event("note", { text: z.string() }),
  event("waiting-for-lock", { waitedMs: ms, holder: z.optional(lockHolder) }),
  /** Another session has locked the history table; `holders`: who, in words. */
  event("waiting-for-history", { waitedMs: ms, holders: z.array(z.string()) }),
  event("planned", { total: count, pending: z.array(name) }),
  /** Before the first pending migration. `file`: absolute. */
  event("backed-up", { file: z.string(), bytes: count, durationMs: ms }),
  event("started", { name, class: migrationClass, index: count, of: count }),
  /** `doing`: what the server does now, in PostgreSQL's words. */
  event("progress", { name, doing: z.string(), percent: z.optional(z.number()), elapsedMs: ms }),
  event("retry", { name: z.optional(name), attempt: count, of: count, delayMs: ms, reason: z.string() }),
  event("applied", { name, class: migrationClass, durationMs: ms }),
  /** A squashed migration's row took the place of the rows of what it replaces. */
  event("adopted", { name, replaced: count }),
  event("failed", { name }),
  event("verified", { recorded: count, of: count }),
  event("schema-verified", { migrations: count }),
])

export type DeployEvent = Readonly<z.infer<typeof deployEvent>>
