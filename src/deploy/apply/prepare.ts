import { relative } from "node:path"
import type pg from "pg"
import { LockstepError } from "../../errors.js"
import type { FolderMigration } from "../../history/folder.js"
import type { Client } from "../../postgres/connect.js"
import { type Classification, classOf, mayHoldTransactions, type Unpaired, unpaired } from "../../sql/classify.js"
import { eachStatement, type Statement, type Unparsed } from "../../sql/parse.js"
import { excerpt, placeAt } from "../../sql/place.js"
import { untouched } from "../failure.js"

/** How a migration is applied. */
export type MigrationClass = Classification["class"]

/** A migration ready to be applied. */
export interface Prepared {
  readonly migration: FolderMigration
  /** For people: the file's path from where they are. */
  readonly file: string
  readonly class: MigrationClass
  /** What is sent: the file without a byte order mark. */
  readonly sql: string
  /** For what is applied statement by statement; otherwise empty. */
  readonly statements: readonly Statement[]
  /** Whether it starts at its beginning, or is resumed because a part of it is already applied. */
  readonly start: "new" | "resumed"
  /** Why the file cannot be parsed: it is then sent as one statement, which cannot end our transaction. */
  readonly unparsed: Unparsed | undefined
}

/** How the statements of a file are found. */
export interface Reading {
  readonly start: Prepared["start"]
  /** What a backslash before a quote does in a plain string: standard_conforming_strings. */
  readonly backslash: "is literal" | "escapes"
}

const kept = new WeakMap<FolderMigration, Map<string, Promise<Prepared>>>()

/** From now on these migrations are parsed and checked once, for any number of deploys of the same folder. */
export function keepPrepared(migrations: readonly FolderMigration[]): void {
  for (const migration of migrations) kept.set(migration, kept.get(migration) ?? new Map())
}

/**
 * Classifies a pending migration. A script that the parser refuses counts as transactional: the server may be newer
 * than the parser, and if it refuses the script too, nothing is applied.
 * Errors: L1013 psql meta-commands, L1019 the file ends a transaction that it does not begin, or begins one that it does not end.
 */
export async function prepare(
  migration: FolderMigration,
  reading: Reading = { start: "new", backslash: "is literal" },
): Promise<Prepared> {
  const known = kept.get(migration)
  if (known === undefined) return await prepareNow(migration, reading)
  const key = `${reading.start} ${reading.backslash}`
  const prepared = known.get(key) ?? prepareNow(migration, reading)
  known.set(key, prepared)
  return await prepared
}

async function prepareNow(migration: FolderMigration, { start, backslash }: Reading): Promise<Prepared> {
  const file = relative(process.cwd(), migration.path)
  const sql = migration.text.replace(/^\uFEFF/, "")
  const copy = stdin.test(sql) ? await copyIn(sql) : undefined
  if (copy) throw copyFromClient(copy, file, sql)
  const found = (backslash === "escapes" && misread(sql)) || (await classOf(sql))
  if ("kind" in found) {
    if (found.metaCommand) throw metaCommand(found.metaCommand, file, found.line)
    return { migration, file, class: "transactional", sql, statements: [], start, unparsed: found }
  }
  const { class: kind } = found
  const statements = kind === "transactional" && start === "new" ? [] : await statementsOf(sql)
  const prepared: Prepared = { migration, file, class: kind, sql, statements, start, unparsed: undefined }
  const wrong = kind === "self-managed" ? unpaired(statements) : undefined
  if (wrong) throw incomplete(prepared, wrong)
  return prepared
}

const stdin = /\bstdin\b/i

/** The script's COPY that takes its rows from the client. They may follow it, which the grammar refuses. */
async function copyIn(sql: string): Promise<Statement | undefined> {
  let copy: Statement | undefined
  const take = (one: Statement) => {
    if (readsFromClient(one.node)) copy ??= one
  }
  const problem = await eachStatement(sql, take)
  if (copy === undefined && problem !== undefined) await eachStatement(sql.slice(0, problem.offset), take)
  return copy
}

const readsFromClient = (node: Statement["node"]): boolean =>
  "CopyStmt" in node && node.CopyStmt.is_from === true && !node.CopyStmt.filename && node.CopyStmt.is_program !== true

const anyInsert = { InsertStmt: {} }

/**
 * A script's statements; without the parse trees of INSERTs, of which a large file may have any number: nothing is read
 * from them. None where the grammar refuses the script.
 */
export async function statementsOf(sql: string): Promise<readonly Statement[]> {
  const statements: Statement[] = []
  const light = (one: Statement) => ("InsertStmt" in one.node ? { ...one, node: anyInsert } : one)
  const problem = await eachStatement(sql, (one) => statements.push(light(one)))
  return problem === undefined ? statements : []
}

/**
 * Prepares migrations in order, each when it is needed. Whatever may be refused is checked before the first is yielded: a command of psql has a backslash, a transaction and COPY their keywords. `start`: the first one's.
 * Errors: those of prepare().
 */
export async function* prepareEach(
  client: Client,
  migrations: readonly FolderMigration[],
  start: Prepared["start"],
): AsyncGenerator<Prepared, undefined> {
  const early = new Map<number, Prepared>()
  const escapes = migrations.some(({ text }) => text.includes("\\'")) && (await backslashEscapes(client))
  const backslash = escapes ? "escapes" : "is literal"
  const prepareAt = (index: number, migration: FolderMigration) =>
    prepare(migration, { start: index === 0 ? start : "new", backslash })
  for (const [index, migration] of migrations.entries()) {
    const { text } = migration
    if (text.includes("\\") || mayHoldTransactions(text) || stdin.test(text))
      early.set(index, await prepareAt(index, migration))
  }
  for (const [index, migration] of migrations.entries()) yield early.get(index) ?? (await prepareAt(index, migration))
}

const metaCommand = (command: string, file: string, line: number): LockstepError =>
  new LockstepError("L1013", `${command} is a command of psql, not SQL`, {
    file,
    line,
    column: 1,
    state: untouched,
    next: "remove such lines (pg_dump --inserts writes SQL alone; \\restrict and \\unrestrict can go), then deploy again",
  })

const copyFromClient = ({ line, column }: Statement, file: string, sql: string): LockstepError =>
  new LockstepError(
    "L1013",
    "COPY … FROM stdin reads rows from a client such as psql, and a migration has no such input",
    {
      file,
      line,
      column,
      excerpt: excerpt(sql, line, column),
      state: untouched,
      next: "write the rows as INSERT (pg_dump --inserts does), then deploy again",
    },
  )

const incomplete = (
  { file, sql, start }: Prepared,
  { statement: { line, column }, problem }: Unpaired,
): LockstepError =>
  new LockstepError("L1019", problem, {
    file,
    line,
    column,
    excerpt: excerpt(sql, line, column),
    hint: "A file that begins or ends a transaction is applied as it is written; what is outside of BEGIN and COMMIT is committed statement by statement.",
    state: start === "new" ? "nothing was applied or recorded." : "nothing more was applied or recorded.",
    next: "write BEGIN and COMMIT in pairs, or remove them all (Lockstep applies such a file in one transaction), then deploy again",
  })

/**
 * A script that cannot be parsed here as one statement, which PL/pgSQL has the server parse and run: whatever the
 * script holds, it ends neither the statement nor the transaction around it, because EXECUTE refuses every command that
 * does. `id`: random, so that the script cannot contain it.
 * Source: PostgreSQL's documentation, "Executing Dynamic Commands" and "Transaction Management" in the PL/pgSQL chapter.
 */
export function asOneStatement(sql: string, id: string): readonly string[] {
  const tag = `$lockstep_${id.replaceAll("-", "_")}$`
  const inner = tag.replace("$", "$script_")
  // EXECUTE refuses a SELECT INTO at the end.
  return [`DO ${tag}BEGIN EXECUTE ${inner}`, sql, `\n;SELECT 1${inner};END${tag};`]
}

/** L1024 where EXECUTE refused a command of the script's; the same routine refuses COPY from and to the client. */
export function refusedInside({ file, sql, unparsed }: Prepared, error: pg.DatabaseError, state: string) {
  // More lines of context: it was a function's own EXECUTE.
  const isOurs = error.routine === "exec_stmt_dynexecute" && !error.where?.includes("\n")
  if (unparsed === undefined || error.code !== "0A000" || !isOurs) return undefined
  const { line, column, message } = unparsed
  return new LockstepError("L1024", `the file begins or ends a transaction, and Lockstep cannot parse it: ${message}`, {
    file,
    line,
    column,
    excerpt: excerpt(sql, line, column),
    sqlstate: error.code,
    hint: `PostgreSQL reports: ${error.message}\n${appliedWhole}`,
    state,
    next: "remove BEGIN, COMMIT, ROLLBACK, SAVEPOINT and COPY … FROM STDIN from the file, or change what cannot be parsed, then run the same deploy again.",
  })
}

const appliedWhole = "A file that cannot be parsed is applied as a whole, in one transaction with its history row."

/** A hint for a failure in such a script. */
export const unparsedHint = ({ line, column, message }: Unparsed): string =>
  `Lockstep cannot parse this file (${line}:${column}: ${message}). ${appliedWhole}`

/** Whether the session's backslashes escape quotes in plain strings, so that they end elsewhere than the parser assumes. */
export async function backslashEscapes(client: Client): Promise<boolean> {
  const { rows } = await client.query<Record<string, string>>("SHOW standard_conforming_strings")
  return rows[0]?.standard_conforming_strings === "off"
}

/** A script that the server reads with escaping backslashes, as one that cannot be parsed; undefined where it can. */
export function misread(sql: string): Unparsed | undefined {
  const offset = sql.indexOf("\\'")
  if (offset < 0) return undefined
  const { line, column } = placeAt(sql, offset)
  const message = "standard_conforming_strings is off, and a backslash comes before a quote"
  return { kind: "unparsed", message, offset, line, column }
}
