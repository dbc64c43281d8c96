import { createHash, type Hash } from "node:crypto"
import type { Statement } from "../../sql/parse.js"

/** Where a migration that is applied statement by statement stands, as its history row says. */
export interface Reached {
  /** How many statements are done. */
  readonly steps: number
  /** Whether the next one was refused, or stopped from outside, so that it may be done or not. */
  readonly next: "refused" | "in doubt"
  /** Of the statements done: tells whether the file still begins with them. */
  readonly digest: string
}

/** The first line of what Prisma records for a failed migration; ours begin so too. */
const failed = "A migration failed to apply."
const line = /Lockstep applies it statement by statement: (\d+) of \d+ done \(digest ([0-9a-f]{12})\)\./

/** What the row's logs say while a migration is applied: how far it is, and a digest of what is done. */
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

/** How far each list is hashed: it is asked for after every statement, of which a file may have hundreds of thousands. */
const hashed = new WeakMap<readonly Statement[], { readonly steps: number; readonly hash: Hash }>()

/** What the logs say about a statement that PostgreSQL refused, in Prisma's form, and how far the migration is. */
export function failureLog(
  { name, statement, of }: { readonly name: string; readonly statement: Statement; readonly of: readonly Statement[] },
  { code, message, steps }: { readonly code: string | undefined; readonly message: string; readonly steps: number },
): string {
  return [
    `${failed} New migrations cannot be applied before the error is recovered from.`,
    `Migration name: ${name}`,
    `Database error code: ${code}`,
    `Database error:\nERROR: ${message}`,
    `Statement ${statement.index + 1} of ${of.length}, line ${statement.line}.`,
    stepsLog(of, steps),
  ].join("\n\n")
}

/** Reads the logs of a failed row; undefined where it is not Lockstep's. */
export function readLog(logs: string | null): Reached | undefined {
  const found = line.exec(logs ?? "")
  if (!found?.[1] || !found[2]) return undefined
  return { steps: Number(found[1]), digest: found[2], next: logs?.startsWith(failed) ? "refused" : "in doubt" }
}
