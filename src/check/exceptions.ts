import { relative } from "node:path"
import type { FolderMigration } from "../history/folder.js"
import { eachStatement } from "../sql/parse.js"
import type { Problem } from "./check.js"

/** An exception that a migration's file makes: `-- lockstep-ignore lock/scans: the table has 40 rows`. */
interface Exception {
  readonly check: string
  /** Empty where the file gives none; then it has no effect. */
  readonly reason: string
  /** The lines of the statement that it is for, 1-based, the comment's own included. */
  readonly from: number
  readonly to: number
}

/** Finds the exception for a check's problem; undefined where there is none. */
export type Exceptions = (check: string, problem: Problem) => Promise<Pick<Exception, "reason"> | undefined>

const comment = /--[^\S\n]*lockstep-ignore[^\S\n]+([\w-]+\/[\w-]+)[^\S\n]*(?::[^\S\n]*(.*))?$/

/**
 * The exceptions in migrations' files. One is for the statement after it, or for that in whose lines it stands; a problem
 * without a line is about the whole file, and any of the file's exceptions for its check will do.
 */
export function exceptionsIn(migrations: readonly FolderMigration[]): Exceptions {
  const files = new Map(migrations.map((one) => [relative(process.cwd(), one.path), one]))
  const read = new Map<FolderMigration, Promise<readonly Exception[]>>()
  return async (check, { file, line }) => {
    const migration = file === undefined ? undefined : files.get(file)
    if (migration === undefined || !migration.text.includes("lockstep-ignore")) return undefined
    const all = read.get(migration) ?? exceptionsOf(migration.text)
    read.set(migration, all)
    return (await all).find(
      (one) => one.check === check && (line === undefined || (one.from <= line && line <= one.to)),
    )
  }
}

async function exceptionsOf(text: string): Promise<readonly Exception[]> {
  const statements: { readonly from: number; readonly to: number }[] = []
  await eachStatement(text, ({ line, text }) => {
    statements.push({ from: line, to: line + text.split("\n").length - 1 })
  })
  return text.split("\n").flatMap((written, index) => {
    const [, check, reason = ""] = comment.exec(written.trimEnd()) ?? []
    if (check === undefined) return []
    const line = index + 1
    const statement = statements.find(({ to }) => to >= line)
    const [from, to] = [Math.min(line, statement?.from ?? line), statement?.to ?? line]
    return [{ check, reason: reason.trim(), from, to }]
  })
}
