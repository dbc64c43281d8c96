import type { DiffTarget } from "@prisma/schema-engine-wasm/schema_engine_bg"
import { LockstepError } from "../../errors.js"
import type { Folder } from "../../history/folder.js"
import { quoteIdentifier } from "../../postgres/quote.js"
import { readStructure, type Structure } from "../../postgres/structure.js"
import type { SchemaFiles } from "../../project/schema.js"
import { container, type Engine, type EngineSetting, historyList, withEngine } from "../../schema-engine/engine.js"
import { withScratchDatabase } from "../../scratch/database.js"
import { type Step, stepsOf, withReplayed } from "../../scratch/replay.js"
import { runScript, type Session } from "../../scratch/script.js"
import { inOneTransaction } from "../migration-file.js"
import { namingFor } from "./rename.js"

/** A history and the schema that it is to make. */
export interface ChangeSetting extends EngineSetting {
  readonly folder: Folder
  readonly schemaFiles: SchemaFiles
}

/** What the history makes, and what the schema describes. */
export interface Structures {
  readonly start: Structure
  readonly goal: Structure
}

/** Both, on scratch databases without rows, the second by the engine's script. */
export async function structures(setting: ChangeSetting, script: string): Promise<Structures> {
  const { start, goal, extensions } = await withReplayed(
    setting,
    stepsOf(setting.folder.migrations),
    async (session) => {
      const start = await readStructure(session.client)
      await truncateAll(session, start)
      return { start, goal: await structureBy(session, script), extensions: await extensionsIn(session) }
    },
  )
  // The engine orders some changes so that its script fails: it changes an enum's values in a table that it makes later.
  return { start, goal: goal ?? (await structureAnew(setting, extensions)) ?? start }
}

/** The structure after a script; undefined where it fails. */
async function structureBy(session: Session, script: string): Promise<Structure | undefined> {
  return await runScript(session, script).then(
    () => readStructure(session.client),
    () => undefined,
  )
}

/** What the schema makes on an empty database. */
async function structureAnew(setting: ChangeSetting, extensions: readonly string[]): Promise<Structure | undefined> {
  const { schemaFiles } = setting
  const schema: DiffTarget = { tag: "schemaDatamodel", ...container(schemaFiles) }
  const { text } = await withEngine(setting, schemaFiles, (engine) => engine.diff({ tag: "empty" }, schema, "script"))
  return await withScratchDatabase(setting, async (session) => {
    for (const name of extensions) await session.client.query(`CREATE EXTENSION IF NOT EXISTS ${quoteIdentifier(name)}`)
    return await structureBy(session, text)
  })
}

async function extensionsIn({ client }: Session): Promise<readonly string[]> {
  return (await client.query<{ name: string }>("SELECT extname AS name FROM pg_extension")).rows.map(({ name }) => name)
}

/** Rows that a migration of the history inserts could keep the script from running, and say nothing about any database. */
async function truncateAll({ client }: Session, { tables }: Structure): Promise<void> {
  const named = namingFor("")
  const names = tables.map(({ schema, name }) => named(schema, name))
  if (names.length > 0) await client.query(`TRUNCATE ${names.join(", ")} CASCADE`)
}

/**
 * What else leads to the schema after the renames. What the engine's own migration would leave as well (an index with an
 * operator class, which it makes anew each time) is no fault of theirs. Errors: L1416 the renames do not lead to it.
 */
export async function restAfter(renaming: string, setting: ChangeSetting): Promise<string> {
  const { folder, schemaFiles, initShadowDb } = setting
  const history = (...added: readonly Step[]): DiffTarget => ({
    tag: "migrations",
    ...historyList(folder.dir, [...stepsOf(folder.migrations), ...added], initShadowDb),
  })
  const schema: DiffTarget = { tag: "schemaDatamodel", ...container(schemaFiles) }
  return await withEngine(setting, schemaFiles, async (engine) => {
    const step = { name: "lockstep_rename", sql: renaming }
    const { empty, text } = await engine.diff(history(step), schema, "script")
    const rest = empty ? "" : inOneTransaction(text)
    const left = await engine.diff(history(step, { name: "lockstep_rest", sql: rest }), schema, "summary")
    if (left.empty || left.text === (await leftByEngine(engine))) return rest
    throw new LockstepError("L1416", "the renames do not lead to the Prisma schema", {
      hint: left.text.trim(),
      state: "nothing was written or applied.",
      next: "write the migration by hand: `lockstep migrate --create-only --accept-data-loss`, and put RENAME in place of DROP and ADD",
    })
  })

  async function leftByEngine(engine: Engine): Promise<string | undefined> {
    const { text: sql } = await engine.diff(history(), schema, "script")
    return await engine.diff(history({ name: "lockstep_own", sql: inOneTransaction(sql) }), schema, "summary").then(
      ({ text }) => text,
      () => undefined,
    )
  }
}
