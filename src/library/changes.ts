import { resolve } from "node:path"
import type { Answer } from "../change/renames/decide.js"
import { withLockedDatabase } from "../cli/database.js"
import { applyPending } from "../cli/deploy.js"
import type { DeployEvent } from "../deploy/events.js"
import { preceded } from "../errors.js"
import { readFolder } from "../history/folder.js"
import { parseDatabaseUrl } from "../postgres/url.js"
import { migrateAnswerOf, undoAnswerOf } from "../report/migrate.js"
import type { DiffAnswer, MigrateAnswer, UndoAnswer } from "../report/schemas.js"
import type { EngineSetting } from "../schema-engine/engine.js"
import { open, type Source } from "./source.js"

/** A project's history, and where scratch databases are made for what replays it. */
export interface ChangeOptions extends Source {
  /** The Prisma schema, a file or a folder; prisma/schema.prisma in the working directory where it is not given. */
  readonly schema?: string | undefined
  /** A database to use in place of a new scratch database. It is emptied. */
  readonly shadowDatabaseUrl?: string | undefined
}

const settingOf = (options: ChangeOptions): EngineSetting => ({
  url: parseDatabaseUrl(options.url),
  shadowUrl: options.shadowDatabaseUrl === undefined ? undefined : parseDatabaseUrl(options.shadowDatabaseUrl),
  initShadowDb: undefined,
  external: { tables: [], enums: [] },
})

const schemaPathOf = ({ schema = "prisma/schema.prisma" }: ChangeOptions): string => resolve(schema)

const dropped = async (): Promise<Answer> => ({ answer: "dropped" })
const undecided = async (): Promise<Answer> => ({ answer: "none" })

/** How to write the next migration; what is not given is as for `lockstep migrate`. */
export interface MigrateOptions extends ChangeOptions {
  /** What it does, such as "add orders". */
  readonly name: string
  /** What was renamed and keeps its rows, such as "User.name=displayName". */
  readonly rename?: readonly string[]
  /** Write the file for editing, and do not apply it. */
  readonly createOnly?: boolean
  /** Write and apply it although it loses data. */
  readonly acceptDataLoss?: boolean
  /** When it aborts, the statement at work is cancelled and the call fails with L1001. */
  readonly signal?: AbortSignal
  /** Receives what happens as it happens. */
  readonly onEvent?: (event: DeployEvent) => void
}

/**
 * Writes the next migration from the schema's change and applies it, after those that are pending: what
 * `lockstep migrate --json` prints. Nothing is written where data would be lost (L1410) or the existing data do not allow it
 * (L1411). A folder without migrations is accepted: it gets its first one.
 */
export async function migrate(options: MigrateOptions): Promise<MigrateAnswer> {
  const { name, rename = [], createOnly = false, acceptDataLoss = false, onEvent = () => undefined } = options
  const { url, folder } = open({ ...options, allowEmpty: true })
  const waiting = { target: { url }, signal: options.signal ?? new AbortController().signal, onEvent }
  await applyPending(waiting, folder)
  const { writeNextMigration } = await import("../change/write-next.js")
  const made = await withLockedDatabase(waiting, () =>
    writeNextMigration({
      ...{ ...settingOf(options), dir: folder.dir, schemaPath: schemaPathOf(options) },
      consent: { name, createOnly, acceptDataLoss },
      decisions: { told: rename, ask: acceptDataLoss ? dropped : undecided },
    }),
  )
  if (made !== undefined && !createOnly) {
    await applyPending(waiting, readFolder(folder.dir)).catch((error: unknown) =>
      Promise.reject(preceded(error, `${made.file} was written.`)),
    )
  }
  return migrateAnswerOf(made, createOnly ? "written" : "applied")
}

/** How to write an undo; what is not given is as for `lockstep undo`. */
export interface UndoOptions extends ChangeOptions {
  /** The first migration to take back, by its name or the beginning of it; the last one where it is not given. */
  readonly name?: string
  /** Write it although data does not come back. */
  readonly acceptDataLoss?: boolean
  /** Where not all of it can be generated, write what can be, to be completed by hand. */
  readonly draft?: boolean
  /** Also take the change back in the Prisma schema, so that the next migrate does not make it again. */
  readonly updateSchema?: boolean
}

/**
 * Writes the migration that takes the schema back, verified on a scratch database: what `lockstep undo --json` prints. The
 * database itself is not touched. Nothing is written where data does not come back (L1410).
 */
export async function undo(options: UndoOptions): Promise<UndoAnswer> {
  const { folder } = open(options)
  const { name, acceptDataLoss = false, draft = false, updateSchema = false } = options
  const { writeUndo } = await import("../change/write-undo.js")
  const consent = { acceptDataLoss, draft, updateSchema }
  const written = await writeUndo({ ...settingOf(options), folder, name, schemaPath: schemaPathOf(options), consent })
  return written.state === "nothing" ? { schema: "lockstep.undo/1", ...written } : undoAnswerOf(written)
}

/** What to compare. */
export interface DiffOptions extends ChangeOptions {
  /** history, history@NAME, schema, database or empty. */
  readonly from: string
  readonly to: string
  /** The text is SQL that leads from one to the other, in place of a summary. */
  readonly script?: boolean
}

/** Compares two states of the schema: what `lockstep diff --json` prints. */
export async function diff(options: DiffOptions): Promise<DiffAnswer> {
  const { from, to } = options
  const { folder } = open({ ...options, allowEmpty: true })
  const { diff: compare, sideOf } = await import("../change/diff.js")
  const { readSchema } = await import("../project/schema.js")
  const sides = { from: sideOf(from), to: sideOf(to) }
  const schemaFiles = [sides.from, sides.to].some(({ side }) => side === "schema")
    ? readSchema(schemaPathOf(options))
    : undefined
  const form = options.script ? "script" : "summary"
  const { empty, text, pending } = await compare({ ...settingOf(options), ...sides, folder, schemaFiles, form })
  return { schema: "lockstep.diff/1", from, to, equal: empty, text, pending }
}
