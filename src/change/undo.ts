import type { DiffTarget } from "@prisma/schema-engine-wasm/schema_engine_bg"
import { LockstepError } from "../errors.js"
import type { Folder } from "../history/folder.js"
import { type CatalogObject, compareCatalogs, readCatalog } from "../postgres/catalog.js"
import { type Engine, type EngineSetting, historyList, withEngine } from "../schema-engine/engine.js"
import { withScratchDatabase } from "../scratch/database.js"
import { replay, type Step, stepsOf } from "../scratch/replay.js"
import { runScript, type Session } from "../scratch/script.js"
import { indexOf } from "./diff.js"
import { inOneTransaction, migrationName } from "./migration-file.js"
import { type UndoCost, undoCost } from "./undo-loss.js"
import { changesAfter, dropsBefore, leftOver, undoText, unqualified } from "./undo-objects.js"

export interface UndoInput extends EngineSetting {
  readonly folder: Folder
  /** The oldest migration to take back; without it, the last. */
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
  /** What no SQL could be made for, such as a policy, or why the SQL fails; with any, the undo was not verified. */
  readonly byHand: readonly string[]
}

/**
 * Makes the migration that takes the schema back to before the named one, from the engine's diff between the two states
 * of the history and the catalogs of both. Up, undo and up again is run on a shadow database, and must lead to the same
 * schemas, before an undo is given as done. It needs no data and touches none. Whether `losses` are accepted, and
 * whether to write a file that is to be finished by hand, is the caller's to ask (L1410, L1412).
 * Errors: L1107 no such migration, L1406 the history cannot be replayed, L1413 the undo leads elsewhere.
 */
export async function undo(input: UndoInput): Promise<Undo | { readonly state: "nothing" }> {
  const steps = stepsOf(input.folder)
  const at = input.name === undefined ? steps.length - 1 : indexOf(steps, input.name)
  const undone = steps.slice(at)
  const [oldest] = undone
  if (!oldest) return { state: "nothing" }
  const states: States = { before: steps.slice(0, at), undone }
  const { sql, byHand } = await withEngine(input, undefined, async (engine) => {
    const made = await completed(input, states, await engineScript(engine, input, states))
    if (made.sql !== "" && made.byHand.length === 0) await verifyByEngine(engine, input, states, made.sql)
    return made
  })
  if (sql === "" && byHand.length === 0) return { state: "nothing" }
  const undoes = undone.map(({ name }) => name)
  const cost = await undoCost(sql, undone)
  return {
    state: "new",
    name: migrationName(
      `undo_${oldest.name.replace(/^\d+_/, "")}`,
      steps.map(({ name }) => name),
      input.now ?? new Date(),
    ),
    sql: undoText({ ...cost, undoes, byHand, sql }),
    undoes,
    byHand,
    ...cost,
  }
}

async function engineScript(engine: Engine, input: UndoInput, { before, undone }: States): Promise<string> {
  const { empty, text } = await engine.diff(target(input, [...before, ...undone]), target(input, before), "script")
  return empty ? "" : inOneTransaction(text)
}

/** Adds what the engine does not see, trying all of it: up, undo, compare, up again, compare. */
async function completed(input: UndoInput, { before, undone }: States, script: string) {
  const { schema } = input.url
  return await withScratchDatabase(input, async (session) => {
    const catalog = () => readCatalog(session.client, schema)
    await replay(session, before)
    const goal = await catalog()
    await replay(session, undone)
    const start = await catalog()
    const first = dropsBefore(compareCatalogs(start, goal))
    const failure = await failureOf(session, joined(first, script))
    if (failure !== undefined)
      return { sql: await unqualified(joined(first, script), schema), byHand: [`the SQL below fails: ${failure}`] }
    const last = await possible(session, changesAfter(compareCatalogs(await catalog(), goal)))
    const byHand = leftOver(compareCatalogs(await catalog(), goal))
    if (byHand.length === 0) await upAgain(session, undone, start)
    return { sql: await unqualified(joined(first, script, last), schema), byHand }
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

/** Those of the statements that PostgreSQL takes. */
async function possible(session: Session, statements: readonly string[]): Promise<readonly string[]> {
  const done: string[] = []
  for (const statement of statements) {
    await runScript(session, statement).then(
      () => done.push(statement),
      () => undefined,
    )
  }
  return done
}

async function upAgain(session: Session, undone: readonly Step[], start: readonly CatalogObject[]) {
  await replay(session, undone)
  const rest = leftOver(compareCatalogs(await readCatalog(session.client, session.schema), start))
  if (rest.length === 0) return
  throw new LockstepError("L1413", "after up, undo and up again the schema is another one", {
    hint: rest.join("\n"),
    state: "nothing was touched: it was tried on a shadow database, and nothing was written.",
    next: "write it by hand: lockstep migrate --create-only --name undo_…",
  })
}

function joined(...parts: readonly (string | readonly string[])[]): string {
  return parts
    .flatMap((part) => (typeof part === "string" ? [part.trim()] : part.map((statement) => `${statement};`)))
    .filter(Boolean)
    .join("\n\n")
}

/** The history up to the goal, and what comes after it. */
interface States {
  readonly before: readonly Step[]
  readonly undone: readonly Step[]
}

type History = Pick<EngineSetting, "initShadowDb"> & { readonly folder: Folder }

/** A part of a history, as one side of the engine's diff. */
const target = ({ folder, initShadowDb }: History, steps: readonly Step[]): DiffTarget => ({
  tag: "migrations",
  ...historyList(folder.dir, steps, initShadowDb),
})

/**
 * Lets the schema engine compare, in both directions: the history with the undo against the history before; and with
 * the undone migrations once more against the whole history. Errors: L1413 there is a difference.
 */
async function verifyByEngine(engine: Engine, input: History, { before, undone }: States, sql: string) {
  const up = [...before, ...undone]
  const down = [...up, { name: "undo", sql }]
  const again = [...down, ...undone.map((step) => ({ ...step, name: `again_${step.name}` }))]
  // Shorter histories first: a replay goes on from the one before it.
  for (const [one, other] of [
    [before, down],
    [down, before],
    [up, again],
    [again, up],
  ] as const) {
    const { empty, text } = await engine.diff(target(input, one), target(input, other), "summary")
    if (!empty) throw leadsElsewhere(text)
  }
}

function leadsElsewhere(difference: string): LockstepError {
  return new LockstepError("L1413", "the undo does not lead back to the earlier schema", {
    hint: difference.trim(),
    state: "nothing was touched: it was tried on shadow databases, and nothing was written.",
    next: "write it by hand: lockstep migrate --create-only --name undo_…",
  })
}
