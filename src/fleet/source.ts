import { readFile } from "node:fs/promises"
import { relative } from "node:path"
import { LockstepError } from "../errors.js"
import { connect } from "../postgres/connect.js"
import { type BaseUrl, type Entry, entriesIn, parseTargets } from "./list.js"
import type { FleetTarget } from "./target.js"

/** Where a list of targets comes from. */
export type ListSource =
  /** "-": the standard input. */
  | { readonly from: "file"; readonly path: string }
  /** A command line, for a shell. */
  | { readonly from: "command"; readonly command: string }
  /** A query on the base's database. */
  | { readonly from: "query"; readonly query: string }

interface Reading {
  readonly base: BaseUrl
  /** Where a command runs. */
  readonly root: string
  readonly signal: AbortSignal
}

/**
 * Reads and checks a whole list. Errors: L2001 lines that cannot be used, L2002 the list cannot be read or is empty,
 * L2003 duplicates; L12xx no connection for the query.
 */
export async function readTargets(source: ListSource, reading: Reading): Promise<readonly FleetTarget[]> {
  const targets = await parseTargets(await entriesOf(source, reading), reading.base)
  if (targets.length > 0) return targets
  throw unreadable(`there are no targets in ${nameOf(source)}`)
}

const unreadable = (
  message: string,
  cause?: unknown,
  next = "correct it, then run the same command again",
): LockstepError => new LockstepError("L2002", message, { state: "nothing was touched.", next, cause })

function nameOf(source: ListSource): string {
  if (source.from === "command") return "the output of --targets-command"
  if (source.from === "query") return "the result of --targets-query"
  return source.path === "-" ? "stdin" : relative(process.cwd(), source.path) || source.path
}

async function entriesOf(source: ListSource, reading: Reading): Promise<readonly Entry[]> {
  switch (source.from) {
    case "file":
      return entriesIn(source.path === "-" ? await readStdin() : await readList(source), nameOf(source))
    case "command":
      return entriesIn(await outputOf(source.command, reading), "--targets-command")
    case "query":
      return await rowsOf(source.query, reading)
  }
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString("utf8")
}

async function readList(source: Extract<ListSource, { from: "file" }>): Promise<string> {
  try {
    return await readFile(source.path, "utf8")
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw unreadable(`the targets cannot be read: ${reason}`, cause, "correct --targets")
  }
}

/** What it prints on stderr goes to ours. */
async function outputOf(command: string, { root, signal }: Reading): Promise<string> {
  const { execa } = await import("execa")
  const result = await execa(command, {
    ...{ shell: true, cwd: root, preferLocal: true, localDir: root },
    ...{ stdin: "ignore", stderr: "inherit", reject: false, stripFinalNewline: false },
    ...{ cancelSignal: signal, maxBuffer: 256 * 1024 * 1024 },
  })
  if (!result.failed) return result.stdout
  if (signal.aborted) throw new LockstepError("L1001", "interrupted", { state: "nothing was touched." })
  const how = result.exitCode === undefined ? "was ended" : `exited with ${result.exitCode}`
  throw unreadable(`--targets-command ${how}`, undefined, "run it yourself: its own messages are above")
}

/** The columns that mean what a key of a JSON line does; names of SQL have no upper case. */
const columns: Readonly<Record<string, string>> = {
  url_env: "urlEnv",
  urlenv: "urlEnv",
  secret_file: "secretFile",
  secretfile: "secretFile",
}

/**
 * A row is a target: columns are named as the keys of a JSON line; a single column of another name holds lines as in a
 * file. The query can only read.
 */
async function rowsOf(query: string, { base }: Reading): Promise<readonly Entry[]> {
  const client = await connect(await base(), { applicationName: "lockstep targets" })
  try {
    await client.query("BEGIN READ ONLY")
    // As a named statement it is one statement: without a name a second one could end the transaction, and write.
    const statement = { name: "targets", text: query }
    const result = await client.query<Record<string, string | null>>(statement).catch((cause: unknown) => {
      throw unreadable(`--targets-query failed: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
    })
    const [only, ...others] = result.fields.map(({ name }) => name)
    const isLines = only !== undefined && others.length === 0 && !keys.has(columns[only] ?? only)
    return result.rows.map((row, index) => {
      const place = `--targets-query, row ${index + 1}`
      if (isLines) return { place, text: row[only]?.trim() ?? "" }
      const named = Object.entries(row).flatMap(([name, value]) =>
        value === null ? [] : [[columns[name] ?? name, value]],
      )
      return { place, text: JSON.stringify(Object.fromEntries(named)) }
    })
  } finally {
    await client.end().catch(() => undefined)
  }
}

const keys: ReadonlySet<string> = new Set([
  "name",
  "url",
  "urlEnv",
  "secretFile",
  "database",
  "schema",
  "group",
  "order",
])
