import { createHash, type Hash } from "node:crypto"
import { LockstepError } from "../../errors.js"
import type { Client } from "../../postgres/connect.js"
import type { Statement } from "../../sql/parse.js"
import { resumable } from "../../sql/resumable.js"
import { quoted } from "../../sql/tree.js"
import type { Prepared } from "../apply/prepare.js"
import type { Resumption } from "../decide.js"
import { detachPending, indexState, leftByReindex } from "./invalid-indexes.js"

/** How far a migration that is applied statement by statement is, as the logs of its history row record it. */
export interface Reached {
  /** How many statements are done. */
  readonly steps: number
  /** What became of the next one. */
  readonly next: EarlierAttempt
  /** Of the statements done: shows whether the file still begins with them. */
  readonly digest: string
}

/** Where a migration with a history row is resumed. */
export interface ResumePoint {
  /** Of its history row. */
  readonly id: string
  readonly steps: number
  readonly next: EarlierAttempt
  readonly cause: Resumption["cause"]
}

/**
 * Where a failed migration is resumed: after the statements that its history row counts as done, with which the file
 * must still begin. Errors: L1104 it does not.
 */
export function resumeAt(prepared: Prepared, { failed, cause }: Resumption): ResumePoint {
  const { row, name } = failed
  const { statements } = prepared
  const reached = readLog(row.logs)
  const steps = reached?.steps ?? 0
  if (prepared.unparsed || steps > statements.length || digestOf(statements, steps) !== reached?.digest) {
    throw new LockstepError("L1104", `the applied part of ${name} is no longer what the file begins with`, {
      file: prepared.file,
      hint: "Change only what comes after the statements that are applied.",
      state: `${firstStatements(steps)} of ${name} as it was ${steps === 1 ? "is" : "are"} applied; nothing else was touched.`,
      next: `restore the beginning of the file, then: \`lockstep deploy --resume\`\n\`lockstep resolve --applied ${name}\`   when all of it is in the database`,
    })
  }
  return { id: row.id, steps, next: reached.next, cause }
}

/** In words: the first 3 statements. */
export const firstStatements = (count: number): string =>
  count === 1 ? "the first statement" : `the first ${count} statements`

/** The first line of what Prisma records for a failed migration; ours begin with it as well. */
const firstLine = "A migration failed to apply."
const line = /Lockstep applies it statement by statement: (\d+) of \d+ done \(digest ([0-9a-f]{12})\)\./

/** The row's logs while a migration is applied: how far it is, and a digest of what is done. */
export const stepsLog = (statements: readonly Statement[], steps: number): string =>
  `Lockstep applies it statement by statement: ${steps} of ${statements.length} done (digest ${digestOf(statements, steps)}).`

/** The first statements in twelve hexadecimal digits. */
export function digestOf(statements: readonly Statement[], steps: number): string {
  const last = hashed.get(statements)
  const from = last !== undefined && last.steps <= steps ? last : { steps: 0, hash: createHash("sha256") }
  for (const { text } of statements.slice(from.steps, steps)) from.hash.update(`${text}\0`)
  hashed.set(statements, { steps, hash: from.hash })
  return from.hash.copy().digest("hex").slice(0, 12)
}

/** How far each list is hashed: the digest is needed after every statement, and a file may have hundreds of thousands. */
const hashed = new WeakMap<readonly Statement[], { readonly steps: number; readonly hash: Hash }>()

/** A migration that stopped: its statements, and which one failed after how many. */
interface Stop {
  readonly name: string
  readonly statements: readonly Statement[]
  readonly failed: Statement
  readonly steps: number
}

/** The row's logs after PostgreSQL refused a statement: the error in Prisma's form, and how far the migration is. */
export function failureLog(
  { name, statements, failed: statement, steps }: Stop,
  { code, message }: { readonly code?: string | undefined; readonly message: string },
): string {
  return [
    `${firstLine} New migrations cannot be applied before the error is recovered from.`,
    `Migration name: ${name}`,
    `Database error code: ${code}`,
    `Database error:\nERROR: ${message}`,
    `Statement ${statement.index + 1} of ${statements.length}, line ${statement.line}.`,
    stepsLog(statements, steps),
  ].join("\n\n")
}

/** Reads the logs of a failed row; undefined where they are not Lockstep's. */
export function readLog(logs: string | null): Reached | undefined {
  const found = line.exec(logs ?? "")
  if (!found?.[1] || !found[2]) return undefined
  return { steps: Number(found[1]), digest: found[2], next: logs?.startsWith(firstLine) ? "refused" : "interrupted" }
}

/** How an earlier attempt at a statement ended: the server refused it, or the connection was lost before the answer. */
export type EarlierAttempt = "refused" | "interrupted"

/** What is to be done about a statement; "unknown": the catalog does not show whether it is done. */
export type Verdict = "run" | "done" | "unknown"

/**
 * Before a statement that runs outside a transaction is run again: reads from the catalog whether it is done, and
 * removes what a failed attempt left, such as an invalid index. A statement that was refused never counts as done: a
 * valid index of its name was made by somebody else.
 * Source: PostgreSQL's documentation, CREATE INDEX and REINDEX, "Concurrently"; ALTER TABLE, DETACH PARTITION.
 */
export async function recoverStatement(client: Client, { node }: Statement, earlier: EarlierAttempt): Promise<Verdict> {
  const finished: Verdict = earlier === "interrupted" ? "done" : "run"
  const work = resumable(node)
  switch (work?.kind) {
    case "create index": {
      if (work.index === undefined) return earlier === "refused" ? "run" : "unknown"
      const state = await indexState(client, work.index)
      if (state === "invalid") await client.query(`DROP INDEX CONCURRENTLY ${quoted(work.index)}`)
      return state === "valid" ? finished : "run"
    }
    case "drop index":
      for (const index of work.indexes) if ((await indexState(client, index)) !== "absent") return "run"
      return finished
    case "reindex":
      for (const index of await leftByReindex(client, work)) await client.query(`DROP INDEX CONCURRENTLY ${index}`)
      return "run"
    case "detach partition": {
      const pending = await detachPending(client, work)
      if (!pending) return pending === undefined ? finished : "run"
      await client.query(`ALTER TABLE ${quoted(work.table)} DETACH PARTITION ${quoted(work.partition)} FINALIZE`)
      return "done"
    }
    default:
      return earlier === "refused" || repeatable.some((kind) => kind in node) ? "run" : "unknown"
  }
}

/** Run a second time they change nothing that the first time has not. */
const repeatable = ["VacuumStmt", "AlterSystemStmt", "ReindexStmt", "ClusterStmt", "DiscardStmt"]

/** Whether a statement that waits for its locks blocks nobody else's reads and writes, so that it may wait for long. */
export function waitsWithoutBlocking({ node }: Statement): boolean {
  if (resumable(node) !== undefined) return true
  return "VacuumStmt" in node && !(node.VacuumStmt.options ?? []).some((option) => isFull(option))
}

const isFull = (option: Statement["node"]): boolean => "DefElem" in option && option.DefElem.defname === "full"
