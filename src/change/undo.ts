import { LockstepError } from "../errors.js"
import type { Folder } from "../history/folder.js"
import { type CatalogObject, compareCatalogs } from "../postgres/catalog.js"
import { quoteIdentifier } from "../postgres/quote.js"
import { readCatalogs } from "../postgres/schemas.js"
import { readStructure } from "../postgres/structure.js"
import type { EngineSetting } from "../schema-engine/engine.js"
import { replay, type Step, stepsOf, withReplayed } from "../scratch/replay.js"
import { runScript, type Session } from "../scratch/script.js"
import { indexOfMigration } from "./diff.js"
import { migrationName } from "./migration-file.js"
import { inPossibleOrder, namingFor, renameStatement } from "./renames/rename.js"
import { byKind } from "./renames/script.js"
import { renamesBack } from "./renames/undone.js"
import {
  changesAfter,
  differingObjects,
  dropsBefore,
  type UndoCost,
  undoCost,
  undoText,
  unqualified,
} from "./undo-file.js"
import { all, engineScript, type Range, type Schemas, schemasIn } from "./undo-script.js"

interface UndoInput extends EngineSetting {
  readonly folder: Folder
  /** The first migration to take back; without it, the last of the folder. */
  readonly name?: string | undefined
  readonly now?: Date
}

/** An undo that is not written yet: a migration that takes the schema back to before another one. */
export interface Undo extends UndoCost {
  readonly state: "new"
  /** The folder's name, with its timestamp. */
  readonly name: string
  /** The file: a head of comments, then the SQL. */
  readonly sql: string
  /** The migrations that it takes back, oldest first. */
  readonly undoes: readonly string[]
  /** What no SQL can be generated for, such as a policy, or why the SQL fails; with any, the undo was not verified. */
  readonly byHand: readonly string[]
}

/** The schema is the same without these migrations, oldest first: what they did to rows stays. */
export interface NothingToUndo {
  readonly state: "nothing"
  readonly undoes: readonly string[]
}

/**
 * Makes the migration that takes the schema back to before the named one, from the engine's diff between the two states
 * of the history and the catalogs of both. It is verified on scratch databases: up, undo and up again must lead to the
 * same schemas. It needs no data and touches none. Whether the losses are accepted (L1410), and whether to write a file
 * that must be completed by hand (L1412), is the caller's decision.
 * Errors: L1107 no such migration, L1853 a squashed migration is among them, L1406 the history cannot be replayed, L1413 the undo leads to another schema.
 */
export async function undo(input: UndoInput): Promise<Undo | NothingToUndo> {
  const { folder, name, now = new Date() } = input
  const steps = stepsOf(folder.migrations)
  const first = firstUndone(folder, name)
  const range: Range = { before: steps.slice(0, first), undone: steps.slice(first) }
  const undoes = range.undone.map(({ name }) => name)
  refuseSquashed(folder, undoes)
  const [oldest] = range.undone
  if (!oldest) return { state: "nothing", undoes }
  const schemas = await schemasIn(input, range)
  const gone = schemas.before.filter((one) => !schemas.after.includes(one))
  const recreated = gone.map((one) => `CREATE SCHEMA ${quoteIdentifier(one)};`)
  const renaming = joined(recreated, await renamesOf(input, range))
  const script = await engineScript(input, range, { renaming, schemas })
  const { sql, byHand, structures } = await completed(input, range, { renaming, script, schemas })
  if (sql === "" && byHand.length === 0) return { state: "nothing", undoes }
  const cost = await undoCost(sql, range.undone, { ...structures, schema: input.url.schema })
  const words = `undo_${oldest.name.replace(/^\d+_/, "")}`
  const existing = steps.map(({ name }) => name)
  return {
    state: "new",
    name: migrationName(words, existing, now),
    sql: undoText({ ...cost, undoes, byHand, sql }),
    undoes,
    byHand,
    ...cost,
  }
}

/** The index of the first migration to take back. Errors: L1107. */
export const firstUndone = ({ migrations }: Folder, name: string | undefined): number =>
  name === undefined ? Math.max(migrations.length - 1, 0) : indexOfMigration(migrations, name)

/** It made the whole schema, which is no change that a release takes back. Errors: L1853. */
function refuseSquashed({ migrations }: Folder, undoes: readonly string[]): void {
  const squashed = migrations.find(({ name, squash }) => squash !== undefined && undoes.includes(name))
  if (squashed === undefined) return
  throw new LockstepError("L1853", `${squashed.name} stands for ${squashed.squash?.replaces.length} migrations`, {
    hint: "What it replaced can be undone one by one where it was not squashed yet.",
    state: "nothing was touched or written.",
    next: "undo a later migration; or take back the squash itself: git checkout of the migrations folder before it",
  })
}

/** The SQL that gives back the old names to what the undone migrations renamed; empty where they renamed nothing. */
async function renamesOf(input: UndoInput, { before, undone }: Range): Promise<string> {
  if (!undone.some(({ sql }) => /rename/i.test(sql))) return ""
  const named = namingFor(input.url.schema)
  const renames = await withReplayed(input, before, async (session) => {
    const goal = await readStructure(session.client)
    await replay(session, undone)
    return renamesBack(goal, await readStructure(session.client))
  })
  const ordered = [...inPossibleOrder(byKind(renames))]
  return ordered.map((rename) => renameStatement(rename, named)).join("\n")
}

interface Parts {
  readonly renaming: string
  /** The engine's SQL, to run after the renames. */
  readonly script: string
  readonly schemas: Schemas
}

/** Adds the objects that the engine does not see, and verifies by the catalogs: up, undo, compare, up again, compare. */
async function completed(input: UndoInput, { before, undone }: Range, { renaming, script, schemas }: Parts) {
  const { schema } = input.url
  return await withReplayed(input, before, async (session) => {
    const catalog = () => readCatalogs(session.client, all(schemas))
    const goal = await catalog()
    const was = await readStructure(session.client)
    await replay(session, undone)
    const start = await catalog()
    const structures = { before: was, now: await readStructure(session.client) }
    const renamed = await failureOf(session, renaming)
    const drops = dropsBefore(compareCatalogs(renaming === "" ? start : await catalog(), goal))
    const failure = renamed ?? (await failureOf(session, joined(drops, script)))
    if (failure !== undefined) {
      const sql = await unqualified(joined(renaming, drops, script), schema)
      return { sql, byHand: [`the SQL below fails: ${failure}`], structures }
    }
    const left = compareCatalogs(await catalog(), goal)
    const created = schemas.after.filter((one) => !schemas.before.includes(one))
    const emptied = created.map((one) => `DROP SCHEMA ${quoteIdentifier(one)}`)
    const changes = await possible(session, [...changesAfter(left), ...emptied])
    const byHand = differingObjects(changes.length === 0 ? left : compareCatalogs(await catalog(), goal))
    if (byHand.length === 0) await upAgain(session, undone, { start, catalog })
    return { sql: await unqualified(joined(renaming, drops, script, changes), schema), byHand, structures }
  })
}

async function failureOf(session: Session, sql: string): Promise<string | undefined> {
  if (sql === "") return undefined
  try {
    await runScript(session, sql)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Those of the statements that PostgreSQL accepts. */
async function possible(session: Session, statements: readonly string[]): Promise<readonly string[]> {
  const accepted: string[] = []
  for (const statement of statements) {
    await runScript(session, statement).then(
      () => accepted.push(statement),
      () => undefined,
    )
  }
  return accepted
}

interface UpAgain {
  readonly start: readonly CatalogObject[]
  readonly catalog: () => Promise<readonly CatalogObject[]>
}

async function upAgain(session: Session, undone: readonly Step[], { start, catalog }: UpAgain): Promise<void> {
  await replay(session, undone)
  const differing = differingObjects(compareCatalogs(await catalog(), start))
  if (differing.length > 0) throw notVerified("after up, undo and up again the schema is not the same", differing)
}

function joined(...parts: readonly (string | readonly string[])[]): string {
  return parts
    .flatMap((part) => (typeof part === "string" ? [part.trim()] : part.map((statement) => `${statement};`)))
    .filter(Boolean)
    .join("\n\n")
}

function notVerified(message: string, differences: readonly string[]): LockstepError {
  return new LockstepError("L1413", message, {
    hint: differences.join("\n"),
    state: "nothing was touched or written: the undo ran on scratch databases.",
    next: "write it by hand: `lockstep migrate --create-only --name undo_…`",
  })
}
