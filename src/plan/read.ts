import { prepare } from "../deploy/apply/prepare.js"
import type { StateOf } from "../history/compare.js"
import { type Change, changes } from "../sql/changes.js"
import { classify } from "../sql/classify.js"
import { type Effect, effects } from "../sql/effects.js"
import { parseScript, type Statement } from "../sql/parse.js"
import type { PlannedMigration } from "./planned.js"

/** A pending migration, before the catalog is asked about the relations in it. */
export interface ReadMigration extends Omit<PlannedMigration, "statements"> {
  readonly statements: readonly ReadStatement[]
}

/** What is kept of a statement: not its parse tree, which is large. */
export interface ReadStatement {
  readonly line: number
  readonly text: string
  readonly effects: readonly Effect[]
  readonly changes: readonly Change[]
}

/**
 * Parses a pending migration.
 * Errors: L1013 psql meta-commands.
 */
export async function readMigration({ migration, name, outOfOrder }: StateOf<"pending">): Promise<ReadMigration> {
  const { file, sql, class: kind } = await prepare(migration)
  const script = await parseScript(sql)
  const common = { name, file, class: kind, outOfOrder }
  if (script.kind === "unparsed") {
    const { line, column, message } = script
    return { ...common, why: undefined, statements: [], unparsed: { line, column, message } }
  }
  const classification = classify(script)
  const why = classification.class === "transactional" ? undefined : classification.reason.why
  return { ...common, why, statements: script.statements.map(readStatement), unparsed: undefined }
}

function readStatement({ line, text, node }: Statement): ReadStatement {
  return { line, text: onOneLine(text), effects: effects(node), changes: changes(node) }
}

const longest = 200

/** Nothing that could move a terminal's cursor. */
function onOneLine(text: string): string {
  const start = text.slice(0, 4 * longest).replaceAll(/\s+/g, " ")
  const line = start.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, "\ufffd")
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line
}
