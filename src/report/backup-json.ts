import * as z from "zod/mini"
import { archiveNote, historyState } from "../backup/archive.js"

/** What `lockstep backup --json` prints: the file beside the archive, and where it is. */
export const backupAnswer = z.strictObject({
  ...archiveNote.shape,
  ...{ schema: z.literal("lockstep.backup/1"), path: z.string(), durationMs: z.number() },
})

/** What `lockstep restore --json` prints. */
export const restoreAnswer = z.strictObject({
  ...{ schema: z.literal("lockstep.restore/1"), file: z.string() },
  /** "none": nothing stood beside the file. */
  checksum: z.enum(["matches", "none"]),
  /** Whether the database held anything, which is gone. */
  replaced: z.boolean(),
  ...{ history: historyState, durationMs: z.number() },
})
