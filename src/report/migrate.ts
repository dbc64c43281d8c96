import type { NothingToSquash, Squashed } from "../change/squash/squash.js"
import type { WrittenMigration } from "../change/write-next.js"
import type { WrittenUndo } from "../change/write-undo.js"
import type { MigrateAnswer, SquashAnswer, UndoAnswer } from "./schemas.js"

type WrittenUndoAnswer = Exclude<UndoAnswer, { state: "nothing" }>

/** A migration that was written, or that there was none to write, for programs. */
export function migrateAnswerOf(made: WrittenMigration | undefined, state: "applied" | "written"): MigrateAnswer {
  if (made === undefined) return { schema: "lockstep.migrate/1", state: "nothing" }
  const { name, file, sql, warnings, unexecutable, losses, renames, precededBy } = made
  return {
    ...{ schema: "lockstep.migrate/1", state, name, file, sql },
    ...{ warnings, unexecutable, losses, renames, ...(precededBy && { precededBy }) },
  }
}

/** An undo that was written, for programs. */
export function undoAnswerOf({ made, file, earlier, updated }: WrittenUndo): WrittenUndoAnswer {
  const { name, sql, undoes, losses, conditions, byHand } = made
  const state = byHand.length > 0 ? "draft" : "written"
  const prismaSchema = updated.length > 0 ? "updated" : earlier.state === "as before" ? earlier.state : "to be updated"
  return { schema: "lockstep.undo/1", state, name, file, sql, undoes, losses, conditions, byHand, prismaSchema }
}

/** A squash for programs; without a file it was a dry run. */
export function squashAnswerOf(made: Squashed | NothingToSquash, file?: string): SquashAnswer {
  if (made.state === "nothing") return { schema: "lockstep.squash/1", ...made }
  const { name, sql, replaces, rows, notes } = made
  const state = file === undefined ? "dry run" : "written"
  return { schema: "lockstep.squash/1", state, name, ...(file !== undefined && { file }), sql, replaces, rows, notes }
}
