import { relative } from "node:path"
import type { Folder } from "../history/folder.js"
import { replayCache } from "../schema-engine/adapter-factory.js"
import type { EngineSetting } from "../schema-engine/engine.js"
import { withHistory } from "../scratch/history.js"
import { stepsOf } from "../scratch/replay.js"
import { type EarlierSchema, earlierSchema, writeEarlierSchema } from "./earlier-schema.js"
import { writeMigration } from "./migration-file.js"
import { type UndoConsent, undoRefusal } from "./refusals.js"
import { firstUndone, type NothingToUndo, type Undo, undo } from "./undo.js"

interface NextUndo extends EngineSetting {
  readonly folder: Folder
  /** The first migration to take back; without it, the last of the folder. */
  readonly name?: string | undefined
  /** The Prisma schema: a file or a folder. */
  readonly schemaPath: string
  /** `updateSchema`: the Prisma schema is put back, too. */
  readonly consent: UndoConsent & { readonly updateSchema: boolean }
}

/** An undo that was written. */
export interface WrittenUndo {
  readonly state: "written"
  readonly made: Undo
  /** Relative to the working directory. */
  readonly file: string
  readonly earlier: EarlierSchema
  /** Files of the Prisma schema that were put back. */
  readonly updated: readonly string[]
}

/**
 * Writes the migration that takes the schema back, verified on scratch databases, and applies nothing. The history before
 * the undone migrations is replayed once. Errors: those of undo, L1410, L1412, L1417.
 */
export async function writeUndo(next: NextUndo): Promise<WrittenUndo | NothingToUndo> {
  const { schemaPath, consent, name, ...place } = next
  const { folder } = place
  const before = stepsOf(folder.migrations.slice(0, firstUndone(folder, name)))
  return await withHistory(place, before, async (setting) => {
    const replays = replayCache(setting)
    try {
      const made = await undo({ ...setting, replays, name })
      if (made.state === "nothing") return made
      const refusal = undoRefusal(made, consent)
      if (refusal !== undefined) throw refusal
      const earlier = await earlierSchema({ ...setting, replays, undoes: made.undoes, schemaPath })
      const updated = consent.updateSchema ? await writeEarlierSchema(earlier, schemaPath) : []
      const file = relative(process.cwd(), await writeMigration(folder.dir, made.name, made.sql))
      return { state: "written", made, file, earlier, updated }
    } finally {
      await replays.close()
    }
  })
}
