import { LockstepError } from "../../errors.js"
import type { Folder, FolderMigration } from "../../history/folder.js"
import type { Replaced } from "../../history/squash.js"
import { type Definition, readDefinitions } from "../../postgres/dump/definitions.js"
import { insertsOf, readRows, readSequences, type TableRows } from "../../postgres/dump/rows.js"
import { describeWhole } from "../../postgres/dump/whole.js"
import { type ScratchSetting, withScratchDatabase } from "../../scratch/database.js"
import { replay, stepsOf } from "../../scratch/replay.js"
import type { Session } from "../../scratch/script.js"
import { indexOfMigration } from "../diff.js"
import { unqualified } from "../undo-file.js"
import { serverStatements } from "./kept.js"
import { type Ordered, runInOrder } from "./order.js"
import { differingRows, substitutes, type Unrepeated, unrepeated } from "./repeatable.js"
import { notesOf, squashText } from "./squash-file.js"

interface SquashInput extends ScratchSetting {
  readonly folder: Folder
  /** The last migration to replace, by its name or the beginning of it. */
  readonly until: string
}

/** A squashed migration that is not written yet. */
export interface Squashed {
  readonly state: "new"
  /** The folder's name: that of the last replaced migration. */
  readonly name: string
  readonly sql: string
  /** The names of what it replaces, oldest first. */
  readonly replaces: readonly string[]
  /** How many rows it inserts. */
  readonly rows: number
  /** What a reviewer should know, one sentence each. */
  readonly notes: readonly string[]
}

/** There is one migration up to the named one, or none. */
export interface NothingToSquash {
  readonly state: "nothing"
  readonly replaces: readonly string[]
}

/**
 * Makes one migration in the place of all up to the named one: the statements that make the objects that these leave in
 * an empty database, read from its catalogs and run in an order in which PostgreSQL accepts them, and the rows. It
 * is verified on a scratch database: alone and with the later migrations it makes the same objects, privileges and rows.
 * Errors: L1107 no such migration, L1406 the history cannot be replayed, L1854 what it leaves cannot be made so.
 */
export async function squash(input: SquashInput): Promise<Squashed | NothingToSquash> {
  const { folder, until } = input
  const end = indexOfMigration(folder.migrations, until) + 1
  const work: Work = { input, replaced: folder.migrations.slice(0, end), later: folder.migrations.slice(end) }
  const names = work.replaced.map(({ name }) => name)
  const name = names.at(-1)
  if (name === undefined || names.length < 2) return { state: "nothing", replaces: names }
  const goal = await replayed(work)
  const columns = goal.rows.length === 0 ? [] : await unrepeatedIn(work, goal.rows)
  const statements = await statementsFor(work, goal, columns)
  const rows = goal.rows.reduce((sum, table) => sum + table.rows.length, 0)
  const sql = squashText({ replaces: work.replaced.map(replacedOf), statements, rows, unrepeated: columns })
  await verify(work, { name, sql }, { goal, columns })
  return { state: "new", name, sql, replaces: names, rows, notes: notesOf(columns) }
}

interface Work {
  readonly input: SquashInput
  readonly replaced: readonly FolderMigration[]
  readonly later: readonly FolderMigration[]
}

const replacedOf = ({ name, checksum, squash }: FolderMigration): Replaced => ({
  ...{ name, checksum, replaces: squash?.replaces ?? [] },
})

/** What a history leaves in an empty database. */
interface State {
  readonly objects: ReadonlySet<string>
  readonly rows: readonly TableRows[]
}

interface Goal extends State {
  readonly definitions: readonly Definition[]
  readonly sequences: readonly string[]
  /** After the later migrations too. */
  readonly end: State
}

const stateOf = async ({ client, schema }: Session): Promise<State> => ({
  objects: await describeWhole(client, schema),
  rows: await readRows(client, schema),
})

async function replayed({ input, replaced, later }: Work): Promise<Goal> {
  return await withScratchDatabase(input, async (session) => {
    const { client, schema } = session
    const before = new Set((await readDefinitions(client, schema)).map(({ sql }) => sql))
    await replay(session, stepsOf(replaced))
    const definitions = (await readDefinitions(client, schema)).filter(({ sql }) => !before.has(sql))
    const sequences = await readSequences(client, schema)
    const state = await stateOf(session)
    await replay(session, stepsOf(later))
    return { ...state, definitions, sequences, end: later.length === 0 ? state : await stateOf(session) }
  })
}

/** Values that are random or of the time show themselves in another replay. */
async function unrepeatedIn({ input, replaced }: Work, rows: readonly TableRows[]): Promise<readonly Unrepeated[]> {
  const others = await withScratchDatabase(input, async (session) => {
    await replay(session, stepsOf(replaced))
    return await readRows(session.client, session.schema)
  })
  const found = unrepeated(rows, others)
  if (!("table" in found)) return found
  throw notSquashed("the migrations do not leave the same rows each time", [`rows of ${found.table}`])
}

/** The statements in an order that PostgreSQL accepts. */
async function statementsFor(
  { input, replaced }: Work,
  { definitions, rows, sequences }: Goal,
  columns: readonly Unrepeated[],
): Promise<readonly string[]> {
  const kept = await serverStatements(replaced.map(({ text }) => text))
  const inserts = rows.flatMap((table) => insertsOf(table, substitutes(columns)))
  const as = (object: string, all: readonly string[]) =>
    all.map((sql): Definition => ({ phase: "before rows", object, sql }))
  const plain = await Promise.all(
    definitions.map(async (one) => ({ ...one, sql: await unqualified(one.sql, input.url.schema) })),
  )
  const parts = [
    [...as("server", kept), ...plain.filter(({ phase }) => phase === "before rows")],
    [...as("rows", inserts), ...as("sequence", sequences)],
    plain.filter(({ phase }) => phase === "after rows"),
  ]
  return await withScratchDatabase(input, async (session) => {
    const done: Ordered[] = []
    for (const part of parts) done.push(await runInOrder(session, part))
    const refused = done.flatMap((one) => one.refused)
    if (refused.length === 0) return done.flatMap((one) => one.statements)
    throw notSquashed(
      "not all that the migrations make can be made by one statement after the other",
      refused.map(({ object, reason }) => `${object}: ${reason}`),
    )
  })
}

interface Expected {
  readonly goal: Goal
  readonly columns: readonly Unrepeated[]
}

/** Errors: L1854 the squashed migration makes something else, or the later ones do after it. */
async function verify({ input, later }: Work, step: { name: string; sql: string }, { goal, columns }: Expected) {
  await withScratchDatabase(input, async (session) => {
    await replay(session, [step])
    const alone = differences(goal, await stateOf(session), columns)
    if (alone.length > 0) throw notSquashed("one migration would not make what the replaced ones make", alone)
    if (later.length === 0) return
    await replay(session, stepsOf(later))
    const found = differences({ ...goal.end, rows: [] }, { ...(await stateOf(session)), rows: [] }, columns)
    if (found.length > 0) throw notSquashed("after it the later migrations would make something else", found)
  })
}

function differences(expected: State, found: State, columns: readonly Unrepeated[]): readonly string[] {
  const only = (one: State, other: State) => [...one.objects].filter((line) => !other.objects.has(line))
  return [
    ...only(expected, found).map((line) => `not made: ${line}`),
    ...only(found, expected).map((line) => `made instead: ${line}`),
    ...differingRows(expected.rows, found.rows, columns).map((table) => `other rows: ${table}`),
  ]
}

const most = 20

function notSquashed(message: string, objects: readonly string[]): LockstepError {
  const lines = objects.map((line) => line.replaceAll(/\s+/g, " ").slice(0, 300))
  const more = lines.length > most ? [`and ${lines.length - most} more`] : []
  return new LockstepError("L1854", message, {
    hint: [...lines.slice(0, most), ...more].join("\n"),
    state: "nothing was touched or written: the migrations ran on scratch databases.",
    next: "squash up to an earlier migration, before what is named here was made",
  })
}
