import { readComparison, readDatabase } from "../deploy/connect/read.js"
import { LockstepError } from "../errors.js"
import type { MigrationState } from "../history/compare.js"
import type { Folder } from "../history/folder.js"
import { createHistoryTable } from "../history/recorded.js"
import { onOneLine, type PendingMigration, preparePending } from "../plan/pending.js"
import type { Plan } from "../plan/planned.js"
import { readOwnCatalog } from "../plan/scratch-run.js"
import type { Client } from "../postgres/connect.js"
import { type DatabaseUrl, withDatabase } from "../postgres/url.js"
import { observeScript } from "../scratch/observe.js"
import { stepsOf } from "../scratch/replay.js"
import { searchPath } from "../scratch/script.js"
import { createRoles, findScratchServer, roleNames } from "../scratch/server.js"
import { openReplayed, type ReplayedDatabase } from "../scratch/template.js"
import type { LockMode } from "../sql/rules.js"
import { type Assertion, type AssertionResult, runAssertions } from "./assertions.js"
import { withoutValues } from "./data.js"
import { findOffenders, type Offenders } from "./offenders.js"

/** What a rehearsal needs. */
export interface RehearsalRequest {
  /** The database whose applied migrations are replayed first. */
  readonly url: DatabaseUrl
  readonly folder: Folder
  readonly scratch: {
    readonly shadowUrl?: DatabaseUrl | undefined
    readonly initShadowDb?: string | undefined
    readonly root: string
  }
  /** Fills the scratch database, which is in the state of the applied migrations. */
  readonly load: (database: ReplayedDatabase & { readonly url: DatabaseUrl }) => Promise<void>
  readonly assertions: readonly Assertion[]
  /** Whether the rows that make a statement fail are named by their keys, or shown whole. */
  readonly shows: "keys" | "rows"
  /** "catalogs": the scratch database's objects before and after are kept as well. */
  readonly keeps?: "catalogs" | undefined
}

/** What the pending migrations did with data. */
export interface Rehearsal {
  /** Where it ran, for people. */
  readonly on: string
  readonly migrations: readonly RehearsedMigration[]
  readonly assertions: readonly AssertionResult[]
  /** Every migration of the folder and of the database, as they were before. */
  readonly history: readonly MigrationState[]
  readonly schema: Plan["schema"]
}

export interface RehearsedMigration {
  readonly name: string
  readonly file: string
  readonly statements: readonly RehearsedStatement[]
  /** "not reached": an earlier one failed. */
  readonly state: "applied" | "failed" | "not reached"
}

export interface RehearsedStatement {
  /** 1-based. */
  readonly line: number
  /** The whole statement, on one line. */
  readonly text: string
  readonly durationMs: number
  /** Rows by table that it wrote. */
  readonly rows: readonly RowsWritten[]
  /** On the tables that existed before the rehearsal. */
  readonly locks: readonly RehearsedLock[]
  readonly failure: RehearsalFailure | undefined
}

/** A lock that a statement took on a table. */
export interface RehearsedLock {
  readonly table: string
  readonly lock: LockMode
  readonly until: "end of migration" | "end of statement"
}

export interface RowsWritten {
  readonly table: string
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

/** Why a statement failed. The message holds no value of a row. */
export interface RehearsalFailure {
  readonly message: string
  readonly sqlstate: string | undefined
  readonly offenders: Offenders | undefined
}

/**
 * Applies the pending migrations to a scratch database with data: the applied ones are replayed, the data loaded, the
 * assertions run, the migrations applied as a deploy would, the assertions run again. Of the database it reads the history alone.
 * Errors: L1801 the data, L1802 an assertion, L1404 and L1406 no scratch database, L15xx, L12xx.
 */
export async function rehearse(request: RehearsalRequest): Promise<Rehearsal> {
  const { url, folder, scratch } = request
  const { history, applied, pending, roles } = await readDatabase(
    { url, applicationName: "lockstep rehearse" },
    async (client) => {
      const { comparison } = await readComparison(client, { url, folder })
      const [failed] = comparison.failed
      if (failed !== undefined) throw failedBefore(failed.name)
      const applied = comparison.applied.map(({ migration }) => migration)
      return { history: comparison.all, applied, pending: comparison.pending, roles: await roleNames(client) }
    },
  )
  const prepared = await preparePending(pending)
  const server = await findScratchServer(scratch)
  try {
    if (server.isOwn) await createRoles(server, roles)
    const setting = { url: server.url, schema: url.schema, initShadowDb: scratch.initShadowDb, main: url }
    const database = await openReplayed(setting, stepsOf(applied))
    try {
      const result = await run({ database, server: server.url }, prepared, request)
      return { on: server.what, history, ...result }
    } finally {
      await database.drop()
    }
  } finally {
    await server.close()
  }
}

const failedBefore = (name: string): LockstepError =>
  new LockstepError("L1803", `${name} has failed: what it left is not known, so it cannot be rehearsed`, {
    state: "nothing was touched.",
    next: "`lockstep resolve --help`",
  })

interface Place {
  readonly database: ReplayedDatabase
  readonly server: DatabaseUrl
}

async function run(
  { database, server }: Place,
  pending: readonly PendingMigration[],
  { assertions, load, shows, url, keeps }: RehearsalRequest,
): Promise<Omit<Rehearsal, "on" | "history">> {
  const { client } = database
  const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name")
  // A dump of the whole database brings its own.
  await client.query(createHistoryTable(url.schema))
  await load({ ...database, url: withDatabase(server, rows[0]?.name ?? "") })
  await client.query(`${searchPath(url.schema)}; ANALYZE`)
  const before = await runAssertions(client, assertions, "before")
  const catalog = async () => (keeps === undefined ? undefined : await readOwnCatalog(client, url.schema))
  const first = await catalog()
  const existing = await tableOids(client)
  const migrations: RehearsedMigration[] = []
  let isReached = true
  for (const migration of pending) {
    const rehearsed: RehearsedMigration = isReached
      ? await apply(database, migration, { shows, existing })
      : notReached(migration)
    migrations.push(rehearsed)
    isReached &&= rehearsed.state === "applied"
  }
  await client.query(searchPath(url.schema))
  const last = await catalog()
  return {
    migrations,
    schema: first && last && { before: first, after: last },
    assertions: isReached ? [...before, ...(await runAssertions(client, assertions, "after"))] : before,
  }
}

const notReached = ({ name, file }: PendingMigration): RehearsedMigration => ({
  ...{ name, file, statements: [], state: "not reached" },
})

async function tableOids(client: Client): Promise<ReadonlySet<number>> {
  const { rows } = await client.query<{ oid: string }>(
    "SELECT oid::bigint AS oid FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p', 'm')",
  )
  return new Set(rows.map(({ oid }) => Number(oid)))
}

interface Applying {
  readonly shows: RehearsalRequest["shows"]
  /** Tables that others may use. */
  readonly existing: ReadonlySet<number>
}

async function apply(
  database: ReplayedDatabase,
  { name, file, prepared, statements }: PendingMigration,
  { shows, existing }: Applying,
): Promise<RehearsedMigration> {
  const { observations, refused } = await observeScript(database, { class: prepared.class, statements })
  const done = observations.flatMap((observation, at): readonly RehearsedStatement[] => {
    const statement = statements[at]
    if (statement === undefined) return []
    const rows = (observation?.relations ?? []).map(({ name: table, rows: written }) => ({ table, ...written }))
    const { line, text } = statement
    const until = prepared.class === "transactional" ? "end of migration" : "end of statement"
    const locks = (observation?.relations ?? []).flatMap(({ oid, name: table, lock }) =>
      existing.has(oid) && lock !== "none" ? [{ table, lock, until } as const] : [],
    )
    return [
      {
        ...{ line, text: onOneLine(text), durationMs: observation?.durationMs ?? 0, failure: undefined },
        locks,
        rows: rows.filter(({ inserted, updated, deleted }) => inserted + updated + deleted > 0),
      },
    ]
  })
  if (refused === undefined) return { name, file, statements: done, state: "applied" }
  // Deferred constraints fail at the end, after the last statement.
  const failed = statements[Math.min(observations.length, statements.length - 1)]
  await database.client.query(searchPath(database.schema))
  const offenders =
    failed &&
    (await findOffenders(database.client, {
      ...{ error: refused, statement: failed, before: statements.slice(0, observations.length), shows },
      schema: database.schema,
    }))
  const message =
    shows === "rows" ? [refused.message, refused.detail].filter(Boolean).join(": ") : withoutValues(refused)
  const failure = { message, sqlstate: refused.code, offenders }
  const last = failed && {
    line: failed.line,
    text: onOneLine(failed.text),
    durationMs: 0,
    rows: [],
    locks: [],
    failure,
  }
  return { name, file, statements: last === undefined ? done : [...done, last], state: "failed" }
}
