import { createReadStream } from "node:fs"
import { open } from "node:fs/promises"
import { createInterface } from "node:readline"
import type { Readable } from "node:stream"
import { execa } from "execa"
import type pg from "pg"
import { DatabaseError } from "pg"
import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"

/**
 * Loads the rows of a dump. Of a plain one (pg_dump, with its schema or --data-only) COPY, INSERT and setval() are run; the
 * rest is what the migrations have made. Any other format is made a plain one by pg_restore as it is read. Where the dump
 * has rows of a table, those that the migrations put into it are deleted first. Errors: L1801 it cannot be read or loaded,
 * or holds no data.
 */
export async function loadDump(client: Client, path: string): Promise<void> {
  const isPlain = await startsAsText(path)
  // Rows may come before what they refer to. A role that may not do this has to bring them in order.
  await client.query("SET session_replication_role = 'replica'").catch(() => undefined)
  const tables = await (isPlain ? loadPlain(client, { path, text: createReadStream(path) }) : loadArchive(client, path))
  if (tables === 0) throw withoutData(path)
  await client.query("RESET ALL")
}

async function startsAsText(path: string): Promise<boolean> {
  const file = await open(path).catch((cause: unknown) => Promise.reject(unreadable(path, cause)))
  const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0).finally(() => file.close())
  const start = buffer.subarray(0, bytesRead)
  // PGDMP begins the custom format; tar archives and other files hold zeros.
  return !start.subarray(0, 5).equals(Buffer.from("PGDMP")) && !start.includes(0)
}

/** Resolves to how many tables the dump has data of, the history included. */
async function loadPlain(client: Client, { path, text }: { path: string; text: Readable }): Promise<number> {
  let statement = ""
  let copy: CopyIn | undefined
  let number = 0
  const filled = new Set<string>()
  for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++
    if (copy !== undefined) {
      if (line !== "\\.") copy.take(line)
      else await copy.end().catch((cause: unknown) => Promise.reject(refused(path, number, cause)))
      if (line === "\\.") copy = undefined
      continue
    }
    if (statement === "" && (line === "" || line.startsWith("--") || line.startsWith("\\"))) continue
    statement += `${line}\n`
    if (!line.endsWith(";")) continue
    const table = tableOf.exec(statement)?.groups?.table
    if (table !== undefined && !filled.has(table)) {
      filled.add(table)
      if (!isOfHistory(statement))
        await client
          .query(`DELETE FROM ${table}`)
          .catch((cause: unknown) => Promise.reject(refused(path, number, cause)))
    }
    if (isOfHistory(statement)) copy = copyStart.test(statement) ? new Skipped() : undefined
    else if (copyStart.test(statement)) copy = await startCopy(client, statement)
    else if (isData.test(statement))
      await client.query(statement).catch((cause: unknown) => Promise.reject(refused(path, number, cause)))
    statement = ""
  }
  return filled.size
}

/** The rows that the migrations have put into a table are among those that the dump has of it. */
const tableOf = /^(?:COPY|INSERT\s+INTO)\s+(?<table>(?:(?:"(?:[^"]|"")+"|[\w$]+)\.?){1,2})/i
const copyStart = /^COPY\s[^;]*\sFROM\s+stdin;\s*$/is
const isData = /^(?:INSERT\s+INTO\b|SELECT\s+pg_catalog\.(?:setval|set_config)\()/i
/** The history is what the scratch database's own is. */
const isOfHistory = (statement: string): boolean => /^(?:COPY|INSERT\s+INTO)\s+\S*_prisma_migrations\b/i.test(statement)

/** Where the rows of a COPY go. */
interface CopyIn {
  take(line: string): void
  end(): Promise<void>
}

class Skipped implements CopyIn {
  take(): void {}
  async end(): Promise<void> {}
}

async function startCopy(client: Client, statement: string): Promise<CopyIn> {
  return await new Promise((started) => client.query(new CopyQuery(statement, started)))
}

/** COPY … FROM stdin over the driver. Source: PostgreSQL's documentation, "COPY Operations" of the protocol. */
class CopyQuery implements pg.Submittable, CopyIn {
  #connection: pg.Connection | undefined
  #error: unknown
  #ended: (() => void) | undefined
  #isDone = false

  constructor(
    private readonly statement: string,
    private readonly started: (copy: CopyIn) => void,
  ) {}

  submit(connection: pg.Connection): undefined {
    this.#connection = connection
    connection.query(this.statement)
  }

  take(line: string): void {
    if (this.#error === undefined) this.#connection?.sendCopyFromChunk(Buffer.from(`${line}\n`))
  }

  async end(): Promise<void> {
    if (this.#error === undefined) this.#connection?.endCopyFrom()
    await new Promise<void>((resolve) => {
      this.#ended = resolve
      if (this.#isDone) resolve()
    })
    if (this.#error !== undefined) throw this.#error
  }

  handleCopyInResponse(): void {
    this.started(this)
  }

  handleError(error: unknown): void {
    this.#error = error
    this.#finish()
  }

  handleReadyForQuery(): void {
    this.#finish()
  }

  #finish(): void {
    this.#isDone = true
    this.started(this)
    this.#ended?.()
  }

  // Part of what the driver calls; there is nothing to do.
  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

async function loadArchive(client: Client, path: string): Promise<number> {
  const converting = execa("pg_restore", ["--data-only", "--no-owner", "--file=-", path], {
    ...{ reject: false, buffer: { stdout: false }, stdin: "ignore" },
  })
  const [loaded] = await Promise.allSettled([loadPlain(client, { path, text: converting.stdout })])
  // What was refused ends it before its end.
  if (loaded.status === "rejected") converting.kill()
  const result = await converting
  if (loaded.status === "rejected") throw loaded.reason
  if (!result.failed) return loaded.value
  const isAbsent = result.exitCode === undefined
  throw new LockstepError("L1801", isAbsent ? "pg_restore cannot be started" : "pg_restore failed", {
    hint: isAbsent ? result.shortMessage : result.stderr,
    state: "only the scratch database was touched.",
    next: isAbsent
      ? "install PostgreSQL's client programs, or write the dump as SQL: pg_dump --data-only"
      : "see what it reports: a newer pg_dump's file needs a pg_restore as new",
  })
}

const withoutData = (path: string): LockstepError =>
  new LockstepError("L1801", `${path} holds no data: it has no COPY and no INSERT`, {
    state: "only the scratch database was touched.",
    next: "make it from a database with rows, with pg_dump --data-only, and see that pg_dump reports no error",
  })

const unreadable = (path: string, cause: unknown): LockstepError =>
  new LockstepError("L1801", `${path} cannot be read`, { state: "nothing was touched.", cause })

function refused(path: string, line: number, cause: unknown): unknown {
  if (!(cause instanceof DatabaseError)) return cause
  return new LockstepError("L1801", `the data cannot be loaded: ${withoutValues(cause)}`, {
    ...{ file: path, line, sqlstate: cause.code },
    state: "only the scratch database was touched.",
    next: "the dump must fit the state of the applied migrations: make it from that database with pg_dump --data-only",
    cause,
  })
}

/** The server's message, in whatever language, without what a row holds: that stands in the detail, after a colon, or quoted. */
export const withoutValues = ({ message, code }: pg.DatabaseError): string =>
  code?.startsWith("22") ? message.replace(/\s*[:：].*$/s, "").replace(quotedPart, "(a value)") : message

/** From the first mark of any language's to the last. */
const quotedPart = /["«»„“”‚‘’「『].*["«»„“”‚‘’」』]/s
