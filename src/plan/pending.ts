import { type Prepared, prepare, statementsOf } from "../deploy/apply/prepare.js"
import type { StateOf } from "../history/compare.js"
import { inLine } from "../printable.js"
import { classify } from "../sql/classify.js"
import type { Statement } from "../sql/parse.js"
import type { PlannedMigration } from "./planned.js"

/** A pending migration as a deploy prepares it, and what is known of it without a database. */
export interface PendingMigration extends Omit<PlannedMigration, "statements"> {
  readonly prepared: Prepared
  /** None where the parser refuses the file. */
  readonly statements: readonly Statement[]
}

/** Prepares the pending migrations. Errors: L1013, L1019, those of a deploy. */
export async function preparePending(pending: readonly StateOf<"pending">[]): Promise<readonly PendingMigration[]> {
  const all: PendingMigration[] = []
  for (const { migration, name, outOfOrder } of pending) {
    const prepared = await prepare(migration)
    const { file, sql, class: kind, unparsed: found } = prepared
    const statements = found ? [] : await statementsOf(sql)
    const classification = classify({ kind: "script", statements })
    const why = classification.class === "transactional" ? undefined : classification.reason.why
    const unparsed = found && { line: found.line, column: found.column, message: found.message }
    all.push({ name, file, class: kind, why, outOfOrder, unparsed, prepared, statements })
  }
  return all
}

/** A statement as people read it: on one line, without what acts on a terminal. */
export const onOneLine = (text: string): string => inLine(text.replaceAll(/\s+/g, " "))
