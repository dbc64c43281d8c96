import { createHash } from "node:crypto"
import { createReadStream, existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { basename } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { hasFailed, isApplied, type RecordedRow } from "../history/recorded.js"

/** What a history says at a moment. */
export const historyState = z.strictObject({
  /** Migrations that are applied. */
  applied: z.number(),
  /** The last of them, by name; null where there is none. */
  last: z.nullable(z.string()),
  /** A migration that has failed, or was being applied. */
  failed: z.nullable(z.string()),
})

export type HistoryState = Readonly<z.infer<typeof historyState>>

export function stateOf(recorded: readonly RecordedRow[]): HistoryState {
  const names = [...new Set(recorded.filter(isApplied).map(({ name }) => name))].sort()
  return { applied: names.length, last: names.at(-1) ?? null, failed: recorded.find(hasFailed)?.name ?? null }
}

/** What is written beside an archive, as `<archive>.json`. */
export const archiveNote = z.strictObject({
  schema: z.literal("lockstep.archive/1"),
  file: z.string(),
  sha256: z.string(),
  bytes: z.number(),
  takenAt: z.string(),
  database: z.string(),
  /** "schema": `databaseSchema` alone, where a database holds one for each tenant. */
  scope: z.enum(["database", "schema"]),
  databaseSchema: z.string(),
  /** The server's version. */
  server: z.string(),
  /** pg_dump's. */
  pgDump: z.string(),
  history: historyState,
})

export type ArchiveNote = Readonly<z.infer<typeof archiveNote>>

/** A text as a part of a file's name: what is no letter, digit, "_", "." or "-" is percent-encoded. */
export const inFileName = (text: string): string =>
  [...text].map((one) => (/[\w.-]/.test(one) ? one : encodeURIComponent(one).replaceAll("'", "%27"))).join("")

/** Where a name is longer, its end is cut: file systems allow 255 bytes. */
const longest = 100

/**
 * An archive's name: which database, when, and the history's state, so that a person finds the one from before a
 * migration: "shop-20260403T101500Z-12-20260402101500_order_search_index.dump".
 */
export function archiveName({
  database,
  scope,
  databaseSchema,
  takenAt,
  history,
}: Pick<ArchiveNote, "database" | "scope" | "databaseSchema" | "takenAt" | "history">): string {
  const what = scope === "schema" ? `${inFileName(database)}.${inFileName(databaseSchema)}` : inFileName(database)
  const when = takenAt.replace(/[-:]|\.\d+/g, "")
  const last = history.last === null ? "none" : inFileName(history.last).slice(0, longest)
  return `${what.slice(0, longest)}-${when}-${history.applied}-${last}${history.failed === null ? "" : "-failed"}.dump`
}

/** The sha256 of a file, hex. */
export async function checksumOfFile(path: string): Promise<string> {
  const hash = createHash("sha256")
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest("hex")
}

export const noteOf = (archive: string): string => `${archive}.json`

/**
 * Reads what stands beside an archive and compares its checksum; undefined where nothing stands there.
 * Errors: L2044 the archive is not the file that was written.
 */
export async function checkArchive(path: string): Promise<ArchiveNote | undefined> {
  if (!existsSync(path)) {
    throw new LockstepError("L2047", `${path} does not exist`, {
      state: "nothing was touched.",
      next: "name a file that `lockstep backup` or pg_dump --format=custom has written",
    })
  }
  if (!existsSync(noteOf(path))) return undefined
  const note = await readNote(noteOf(path))
  const found = await checksumOfFile(path)
  if (found === note.sha256) return note
  throw new LockstepError("L2044", `${basename(path)} is not the file that was written: its checksum differs`, {
    hint: `sha256 is ${found}; ${basename(noteOf(path))} has ${note.sha256}.`,
    state: "nothing was touched.",
    next: "copy it again from where backups are kept, or take an earlier one",
  })
}

async function readNote(path: string): Promise<ArchiveNote> {
  try {
    return z.parse(archiveNote, JSON.parse(await readFile(path, "utf8")))
  } catch (cause) {
    throw new LockstepError("L2044", `${path} cannot be read, so the backup's checksum cannot be compared`, {
      state: "nothing was touched.",
      next: "copy it again from where backups are kept; without the file beside it no checksum is compared",
      cause,
    })
  }
}
