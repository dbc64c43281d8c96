import type pg from "pg"
import { DatabaseError } from "pg"
import { runUnread } from "../postgres/counted.js"
import { runsAlone } from "../sql/classify.js"
import type { Statement } from "../sql/parse.js"
import { lackedBy } from "./lacking.js"
import { type Observation, observationOf } from "./observation.js"
import { collectMessages, type Messages } from "./observer.js"
import { type Session, searchPath } from "./script.js"
import { type Snapshot, takeSnapshot } from "./snapshot.js"
import { watchStatement } from "./watch.js"

/** A migration as a deploy would run it. */
export interface ObservedScript {
  /** "transactional": in one transaction; otherwise statement by statement, or as the file's own BEGIN and COMMIT say. */
  readonly class: "transactional" | "non-transactional" | "self-managed"
  readonly statements: readonly Statement[]
  /** What becomes of a transactional one: it stays for the migrations after it, or nothing of it does. */
  readonly ends?: "commit" | "rollback"
}

/** What came of a migration: what each statement did, up to the one that PostgreSQL refused. */
export interface ObservedRun {
  /** In order; shorter than the script where a statement was refused. Undefined for BEGIN, COMMIT and the like. */
  readonly observations: readonly (Observation | undefined)[]
  /** Why the next statement was refused; then nothing of an open transaction is left. */
  readonly refused: pg.DatabaseError | undefined
}

/** A session to run migrations in, and a second one that watches it. */
export interface ObservedSession extends Session {
  readonly watcher: Session["client"]
  /** Opens one more connection to the same database; the caller ends it. */
  readonly open: () => Promise<Session["client"]>
}

/**
 * Runs a migration and reads from PostgreSQL what each statement does: locks, new files, scans, writes, and the catalog
 * before and after. What it does stays, for the migrations after it.
 * Errors: L1409 a statement needs what the server lacks; what is not the server's refusal of a statement.
 */
export async function observeScript(session: ObservedSession, script: ObservedScript): Promise<ObservedRun> {
  const run = new Run(session)
  const observations: (Observation | undefined)[] = []
  await run.begin()
  try {
    if (script.class === "transactional") await run.openTransaction()
    for (const statement of script.statements) {
      observations.push(await observeOne(run, script.class, statement))
    }
    if (script.class === "transactional") {
      const keeps = script.ends !== "rollback"
      // What is checked at the end is checked all the same.
      await session.client.query(keeps ? "COMMIT" : "SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK")
    }
    return { observations, refused: undefined }
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    const refused = script.statements[observations.length]?.text ?? ""
    const lack = await lackedBy(session.client, refused, error)
    if (lack !== undefined) throw lack
    return { observations, refused: error }
  } finally {
    await run.end()
  }
}

async function observeOne(
  run: Run,
  kind: ObservedScript["class"],
  statement: Statement,
): Promise<Observation | undefined> {
  if (kind === "transactional") return await run.inside(statement)
  if (run.isInTransaction) return await run.inside(statement)
  if ("TransactionStmt" in statement.node) return await run.boundary(statement)
  const mayCommit = kind === "self-managed" && ("CallStmt" in statement.node || "DoStmt" in statement.node)
  if (runsAlone(statement) || mayCommit) return await run.alone(statement)
  await run.openTransaction()
  const observation = await run.inside(statement)
  await run.session.client.query("COMMIT")
  return observation
}

/** One migration's run. */
class Run {
  readonly #messages: ReturnType<typeof collectMessages>
  #pid = 0
  #last: Snapshot | undefined
  #before: Repeated | undefined

  constructor(readonly session: ObservedSession) {
    this.#messages = collectMessages(session.client)
  }

  get isInTransaction(): boolean {
    return this.session.client.getTransactionStatus() !== "I"
  }

  /** A clean session with the search path that a deploy gives it, which counts the calls of functions if it may. */
  async begin(): Promise<void> {
    const { client, schema } = this.session
    await client.query("DISCARD ALL")
    await client.query("SET track_functions = 'all'").catch(() => undefined)
    await client.query(searchPath(schema))
    const { rows } = await client.query<{ pid: string }>("SELECT pg_catalog.pg_backend_pid() AS pid")
    this.#pid = Number(rows[0]?.pid)
  }

  async end(): Promise<void> {
    const { client } = this.session
    this.#messages.stop()
    if (this.isInTransaction) await client.query("ROLLBACK")
    await client.query("DISCARD ALL")
  }

  /** Nothing may come between BEGIN and the first statement, which may be SET TRANSACTION. */
  async openTransaction(): Promise<void> {
    await flushStatistics(this.session.client)
    this.#last = await this.#snapshot()
    this.#before = undefined
    this.#messages.take()
    await this.session.client.query("BEGIN")
  }

  /** A statement of the file's own that begins a transaction. */
  async boundary(statement: Statement): Promise<undefined> {
    await flushStatistics(this.session.client)
    this.#last = await this.#snapshot()
    this.#before = undefined
    await this.session.client.query(statement.text)
  }

  /** A statement within the open transaction. */
  async inside(statement: Statement): Promise<Observation | undefined> {
    const { client } = this.session
    const kind = plainInsert(statement)
    if (kind !== undefined && this.#before?.kind === kind) {
      await runUnread(client, statement.text)
      return this.#before.observation
    }
    const begun = performance.now()
    await runUnread(client, statement.text)
    const durationMs = performance.now() - begun
    if (!this.isInTransaction) return undefined
    if (isSetTransaction(statement)) return observationOf(nothing(this.#last ?? (await this.#snapshot())))
    const before = this.#last ?? (await this.#snapshot())
    const after = await this.#snapshot()
    this.#last = after
    const observation = observationOf({ before, after, messages: this.#messages.take(), durationMs })
    this.#before = kind === undefined ? undefined : { kind, observation }
    return observation
  }

  /** A statement outside of any transaction, watched by the second session. */
  async alone(statement: Statement): Promise<Observation> {
    await flushStatistics(this.session.client)
    this.#messages.take()
    const watched = await watchStatement({ ...this.session, pid: this.#pid }, statement)
    return observationOf({ ...watched, messages: this.#messages.take() })
  }

  async #snapshot(): Promise<Snapshot> {
    return await takeSnapshot(this.session.client, { pid: this.#pid, statistics: "transaction" })
  }
}

/** The observation of an INSERT, for more of the same: a file may hold thousands. */
interface Repeated {
  readonly kind: string
  readonly observation: Observation
}

/** Names an INSERT of literal rows by its table; undefined for every other statement. */
function plainInsert({ node, text }: Statement): string | undefined {
  if (!("InsertStmt" in node)) return undefined
  return /^insert\s+into\s+([^(]+?)\s*(?:\([^)]*\)\s*)?values\b/i.exec(text)?.[1]
}

const isSetTransaction = ({ node }: Statement): boolean =>
  "VariableSetStmt" in node && node.VariableSetStmt.kind === "VAR_SET_MULTI"

const noMessages: Messages = { writes: [], notices: [] }
const nothing = (at: Snapshot) => ({ before: at, after: at, messages: noMessages, durationMs: 0 })

/** Has the session's statistics begin at zero with the next transaction; PostgreSQL 15 and newer. */
async function flushStatistics(client: Session["client"]): Promise<void> {
  await client.query("SELECT pg_catalog.pg_stat_force_next_flush()").catch(() => undefined)
}
