import { existsSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import { execa } from "execa"
import { LockstepError } from "../errors.js"
import type { Folder } from "../history/folder.js"
import { withDatabase } from "../postgres/url.js"
import { pulledSchema, setAsideOlder } from "../project/older-schema.js"
import { forEngine, readSchemaFile, type SchemaFiles, schemaPaths } from "../project/schema.js"
import { container, type Engine, type EngineSetting, historyList, withEngine } from "../schema-engine/engine.js"
import { stepsOf, withReplayed } from "../scratch/replay.js"

/** How a Prisma schema gets back to what it was before some migrations. */
export type EarlierSchema =
  /** It describes that already, or there is none. */
  | { readonly state: "as before" }
  | {
      readonly state: "found"
      /** "git": the changes of the undone migrations' commits, taken back; "engine": read from the scratch database. */
      readonly from: "git" | "engine"
      /** The files that change, with their new content. */
      readonly files: SchemaFiles
      /** The commit at which they are exactly so. */
      readonly commit?: string
    }
  | { readonly state: "not found" }

interface Search extends EngineSetting {
  readonly folder: Folder
  /** The undone migrations, oldest first. */
  readonly undoes: readonly string[]
  readonly schemaPath: string
}

/**
 * Finds the Prisma schema that describes the history before the undone migrations: what their commits changed in it is
 * taken back, which keeps comments, layout and later edits; or else the schema engine merges what the database has into
 * the schema, as `prisma db pull` does, which formats it anew. Either counts only where the engine finds no difference
 * to the history. It writes nothing.
 */
export async function earlierSchema(search: Search): Promise<EarlierSchema> {
  const { schemaPath } = search
  const now = schemaPaths(schemaPath).map((path) => ({ path, content: readSchemaFile(path) }))
  if (now.length === 0 || (await describesBefore(now, search))) return { state: "as before" }
  for (const from of ["git", "engine"] as const) {
    const found = from === "git" ? await byGit(now, search) : await byEngine(now, search).catch(() => undefined)
    if (found === undefined || !(await describesBefore(found, search))) continue
    const files = found.filter(({ path, content }) => now.find((file) => file.path === path)?.content !== content)
    const commit = from === "git" ? await commitWith(files, search) : undefined
    return { state: "found", from, files, ...(commit === undefined ? {} : { commit }) }
  }
  return { state: "not found" }
}

/** Whether the engine finds no difference between the history before and these files; a schema that is not valid is none. */
async function describesBefore(
  files: SchemaFiles,
  { folder, undoes, schemaPath, ...setting }: Search,
): Promise<boolean> {
  const list = historyList(folder.dir, stepsBefore(folder, undoes), setting.initShadowDb)
  try {
    const accepted = forEngine(files, dirname(schemaPath))
    const target = { tag: "schemaDatamodel", ...container(accepted) } as const
    const compare = (engine: Engine) => engine.diff({ tag: "migrations", ...list }, target, "summary")
    return (await withEngine(setting, accepted, compare)).empty
  } catch {
    return false
  }
}

function stepsBefore({ migrations }: Folder, [first]: readonly string[]) {
  const steps = stepsOf(migrations)
  return steps.slice(
    0,
    steps.findIndex(({ name }) => name === first),
  )
}

/** The files without what the undone migrations' commits changed in them, the latest first; undefined where that conflicts. */
async function byGit(files: SchemaFiles, { folder, undoes }: Search): Promise<SchemaFiles | undefined> {
  let now = files
  for (const name of undoes.toReversed()) {
    const added = await commitOf(folder, name)
    if (added === undefined) return undefined
    const from = added === "" ? undefined : added
    const to = before(added)
    const merged: { path: string; content: string }[] = []
    for (const { path, content } of now) {
      const base = from === undefined ? content : await at(from, path)
      const other = await at(to, path)
      const result = base === undefined || other === undefined ? undefined : await takenBack(content, base, other)
      if (result === undefined) return undefined
      merged.push({ path, content: result })
    }
    now = merged
  }
  return now
}

/** The commit that added a migration; empty where it is not committed, undefined without a repository. */
async function commitOf({ dir }: Folder, name: string): Promise<string | undefined> {
  return (await git(dir, "log", "-1", "--diff-filter=A", "--format=%h", "--", `${name}/migration.sql`))?.trim()
}

/** What is not committed yet has changed the schema since the last commit. */
const before = (added: string): string => (added === "" ? "HEAD" : `${added}^`)

/** The commit before the oldest undone migration, where all of these files are the same there. */
async function commitWith(files: SchemaFiles, { folder, undoes: [first = ""] }: Search): Promise<string | undefined> {
  const added = await commitOf(folder, first)
  if (added === undefined) return undefined
  for (const { path, content } of files) if ((await at(before(added), path)) !== content) return undefined
  return before(added)
}

/** Git's answer; undefined where it fails or is not installed. */
async function git(cwd: string, ...args: readonly string[]): Promise<string | undefined> {
  if (!existsSync(cwd)) return undefined
  const { failed, stdout } = await execa("git", args, { cwd, reject: false, stripFinalNewline: false })
  return failed ? undefined : stdout
}

const at = (commit: string, path: string): Promise<string | undefined> =>
  git(dirname(path), "show", `${commit}:./${relative(dirname(path), path)}`)

/** A three-way merge of the change from `base` to `other` into `now`; undefined where both changed the same lines. */
async function takenBack(now: string, base: string, other: string): Promise<string | undefined> {
  if (base === other) return now
  if (now === base) return other
  const folder = await mkdtemp(join(tmpdir(), "lockstep-schema-"))
  try {
    const paths = [now, base, other].map((_, index) => join(folder, String(index)))
    await Promise.all([now, base, other].map((content, index) => writeFile(paths[index] ?? "", content)))
    return await git(folder, "merge-file", "-p", ...paths)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** What the engine merges into the files from a scratch database with the history before. */
async function byEngine(files: SchemaFiles, { folder, undoes, schemaPath, ...setting }: Search): Promise<SchemaFiles> {
  return await withReplayed(setting, stepsBefore(folder, undoes), async (session) => {
    const { rows } = await session.client.query<{ name: string }>("SELECT current_database() AS name")
    const url = withDatabase(setting.shadowUrl ?? setting.url, rows[0]?.name ?? "")
    const accepted = setAsideOlder(files).files
    const params = { schema: container(accepted), baseDirectoryPath: folder.dir, force: false, compositeTypeDepth: 0 }
    return await withEngine({ ...setting, url }, accepted, async (engine) => {
      const result = await engine.raw((each) => each.introspect({ ...params, namespaces: null }))
      return pulledSchema(files, result.schema.files, dirname(schemaPath))
    })
  })
}

/** Writes the schema as it was; returns the files. Errors: L1417 it cannot be found, before anything is written. */
export async function writeEarlierSchema(earlier: EarlierSchema, schemaPath: string): Promise<readonly string[]> {
  switch (earlier.state) {
    case "as before":
      return []
    case "not found":
      throw new LockstepError("L1417", "the earlier Prisma schema cannot be found", {
        file: relative(process.cwd(), schemaPath),
        hint: "Neither the commits of the undone migrations nor the schema engine lead to a schema that describes the history before.",
        state: "nothing was written.",
        next: "run `lockstep undo` without --update-schema, and change the schema by hand",
      })
    case "found":
      for (const { path, content } of earlier.files) await writeFile(path, content)
      return earlier.files.map(({ path }) => relative(process.cwd(), path))
  }
}
