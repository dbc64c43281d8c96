import { LockstepError } from "../../errors.js"
import type { Prepared } from "../apply/prepare.js"
import type { Resume } from "../apply/stepwise-run.js"
import type { Continuation } from "../decide.js"
import { digestOf, readLog } from "./row-log.js"

/**
 * Where a failed migration is gone on with: after the statements that its history row counts as done, which have to be
 * the first of the file still. Errors: L1104 they are not.
 */
export function resumeAt(prepared: Prepared, { failed, by }: Continuation): Resume {
  const { row, name } = failed
  const reached = readLog(row.logs)
  const steps = reached?.steps ?? 0
  if (
    prepared.unparsed ||
    steps > prepared.statements.length ||
    digestOf(prepared.statements, steps) !== reached?.digest
  ) {
    throw new LockstepError("L1104", `the part of ${name} that is applied is not what the file begins with any more`, {
      file: prepared.file,
      hint: `Its first ${steps} statements were applied; mend only what comes after them.`,
      state: `the first ${steps} statements of ${name}, as they were, are applied; nothing else was touched.`,
      next: `restore the beginning of the file, then: lockstep deploy --resume\nlockstep resolve --applied ${name}   when all of it is in the database`,
    })
  }
  return { id: row.id, steps, doubt: reached.next, by }
}
