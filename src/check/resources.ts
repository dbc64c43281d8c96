import { readComparison, readDatabase } from "../deploy/connect/read.js"
import { LockstepError } from "../errors.js"
import type { Comparison } from "../history/compare.js"
import type { Folder, FolderMigration } from "../history/folder.js"
import type { PlanRequest } from "../plan/plan.js"
import type { Client } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { findTarget } from "../project/database-url.js"
import { type Project, readMigrations } from "../project/project.js"
import { isQuick, keepHistory } from "../scratch/history.js"
import { stepsOf } from "../scratch/replay.js"
import { type Base, readBase } from "./base.js"
import type { ChangesPlan } from "./plan.js"
import { type OpenScratch, openScratch, type Scratch } from "./scratch.js"

/** What a check may need, by its name. */
export interface Resources {
  readonly folder: Folder
  readonly base: Base
  readonly database: Database
  readonly changes: Changes
  readonly scratch: Scratch
  readonly plan: ChangesPlan
}

export type Need = keyof Resources

/** The database that the environment names, and what it has of the history. */
export interface Database {
  readonly url: DatabaseUrl
  readonly isTestDatabase: boolean
  readonly comparison: Comparison
  /** Does work that only reads, on a connection of its own. */
  read<T>(work: (client: Client) => Promise<T>): Promise<T>
}

/** The branch's own migrations: those that the base lacks, or else those that the database lacks. */
export interface Changes {
  readonly migrations: readonly FolderMigration[]
  /** The other migrations of the folder. */
  readonly before: readonly FolderMigration[]
}

/** Something that may not exist here, and why; or that exists and cannot be read. */
export type Available<T> =
  | { readonly state: "available"; readonly value: T }
  | { readonly state: "absent"; readonly why: string }
  | { readonly state: "failed"; readonly error: LockstepError }

/** Gives what checks need; each is found once, however many checks need it. */
export type Provide = <N extends Need>(need: N) => Promise<Available<Resources[N]>>

/** What was already given; undefined where no check needed it. */
export type Given = <N extends Need>(need: N) => Promise<Available<Resources[N]>> | undefined

/** What one run's checks share. */
export interface Provider {
  readonly provide: Provide
  readonly given: Given
  /** Ends what was started for the run. */
  readonly close: () => Promise<void>
}

/** Where the resources of one run come from. */
export interface Origin {
  readonly project: Project
  /** A branch or commit; undefined: the one that the branch will be merged into. */
  readonly base: string | undefined
  /** What the plan keeps for a picture of it. */
  readonly keeps?: PlanRequest["keeps"]
}

/** What cannot be read, such as a database that does not answer, fails the checks that need it, and no others. */
export function provider({ project, base, keeps }: Origin): Provider {
  let opened: Promise<OpenScratch> | undefined
  const found = new Map<Need, Promise<Available<unknown>>>()
  const find: { readonly [N in Need]: () => Promise<Available<Resources[N]>> } = {
    folder: async () => available(readMigrations(project, { allowEmpty: true })),
    base: () => readBase(project, base),
    database: async () => {
      const folder = await provide("folder")
      return folder.state === "available" ? await readTarget(project, folder.value) : folder
    },
    changes: async () => {
      const folder = await provide("folder")
      if (folder.state !== "available") return folder
      const known = await knownNames(provide)
      return known.state === "available" ? available(changesIn(folder.value, known.value)) : known
    },
    scratch: async () => {
      const database = await provide("database")
      opened = openScratch(project, database.state === "available" ? database.value.url.schema : undefined)
      const { found } = await opened
      const changes = await provide("changes")
      if (found.state !== "available" || changes.state !== "available") return found
      return available(await withHistory(found.value, changes.value))
    },
    plan: () => planOf(provide, { project, keeps }),
  }
  const provide: Provide = <N extends Need>(need: N) => {
    const known = found.get(need) ?? find[need]().catch(failed)
    found.set(need, known)
    // Each name's promise is put in under that name alone, above.
    return known as Promise<Available<Resources[N]>>
  }
  const given: Given = <N extends Need>(need: N) => found.get(need) as Promise<Available<Resources[N]>> | undefined
  return { provide, given, close: async () => (await opened?.catch(() => undefined))?.close() }
}

const available = <T>(value: T): Available<T> => ({ state: "available", value })
const absent = (why: string): Available<never> => ({ state: "absent", why })

async function readTarget(project: Project, folder: Folder): Promise<Available<Database>> {
  const target = await findTarget(project).catch((error: unknown) => {
    if (error instanceof LockstepError && error.code === "L1205") return undefined
    throw error
  })
  if (target === undefined) return absent("no database: set DATABASE_URL")
  const { url, isTestDatabase } = target
  const read: Database["read"] = (work) => readDatabase({ url, applicationName: "lockstep check" }, work)
  const { comparison } = await read((client) => readComparison(client, { url, folder }))
  return available({ url, isTestDatabase, comparison, read })
}

async function planOf(
  provide: Provide,
  { project, keeps }: Pick<Origin, "project" | "keeps">,
): Promise<Available<ChangesPlan>> {
  const folder = await provide("folder")
  if (folder.state !== "available") return folder
  const changes = await provide("changes")
  if (changes.state !== "available") return changes
  const scratch = await provide("scratch")
  if (scratch.state !== "available") return scratch
  const database = await provide("database")
  const { planChanges } = await import("./plan.js")
  const known = database.state === "available" ? database.value : undefined
  return available(
    await planChanges({ project, folder: folder.value, changes: changes.value, database: known, keeps }, scratch.value),
  )
}

/** Most checks begin where the branch does: what is before it is replayed once. Errors: L1406 it cannot be replayed. */
async function withHistory(scratch: Scratch, { before }: Changes): Promise<Scratch> {
  const { setting } = scratch
  const steps = stepsOf(before)
  if (isQuick(steps)) return scratch
  const history = await keepHistory({ ...setting, schema: setting.url.schema }, steps)
  return { ...scratch, setting: { ...setting, history } }
}

/** Errors that are no LockstepError are bugs, and go on. */
function failed(error: unknown): Available<never> {
  if (error instanceof LockstepError) return { state: "failed", error }
  throw error
}

/** The migrations that are not new; the base decides, and without one the database. */
async function knownNames(provide: Provide): Promise<Available<ReadonlySet<string>>> {
  const base = await provide("base")
  if (base.state === "available")
    return available(new Set([...base.value.migrations.keys(), ...base.value.forked.keys()]))
  if (base.state === "failed") return base
  const database = await provide("database")
  if (database.state === "failed") return database
  if (database.state === "absent")
    return absent("nothing tells which migrations are new: name a base with --base REF, or set DATABASE_URL")
  const { all } = database.value.comparison
  return available(new Set(all.flatMap(({ state, name }) => (state === "pending" ? [] : [name]))))
}

const changesIn = ({ migrations }: Folder, known: ReadonlySet<string>): Changes => ({
  migrations: migrations.filter(({ name }) => !known.has(name)),
  before: migrations.filter(({ name }) => known.has(name)),
})
