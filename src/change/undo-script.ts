import type { DiffTarget } from "@prisma/schema-engine-wasm/schema_engine_bg"
import type { Folder } from "../history/folder.js"
import { quoteIdentifier } from "../postgres/quote.js"
import { schemasOf } from "../postgres/schemas.js"
import { withDatabase } from "../postgres/url.js"
import { container, type EngineSetting, historyList, withEngine } from "../schema-engine/engine.js"
import { replay, type Step, withReplayed } from "../scratch/replay.js"
import { inOneTransaction } from "./migration-file.js"

interface Setting extends EngineSetting {
  readonly folder: Folder
}

/** The history before the migrations to undo, and those. */
export interface Range {
  readonly before: readonly Step[]
  readonly undone: readonly Step[]
}

/** The URL's schema and the others, as the history before and the whole history leave them. */
export interface Schemas {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

/** The schemas in which a history makes something. */
export async function schemasIn(input: Setting, { before, undone }: Range): Promise<Schemas> {
  const own = [input.url.schema]
  if (![...before, ...undone].some(({ sql }) => /create\s+schema/i.test(sql))) return { before: own, after: own }
  return await withReplayed(input, before, async (session) => {
    const schemas = () => schemasOf(session.client, session.schema)
    const first = await schemas()
    await replay(session, undone)
    return { before: first, after: await schemas() }
  })
}

/** Each of them once. */
export const all = ({ before, after }: Schemas): readonly string[] => [...new Set([...before, ...after])]

const target = ({ folder, initShadowDb }: Setting, steps: readonly Step[]): DiffTarget => ({
  tag: "migrations",
  ...historyList(folder.dir, steps, initShadowDb),
})

/** The engine's SQL from the whole history, and `renaming` after it, to the history before. */
export async function engineScript(
  input: Setting,
  { before, undone }: Range,
  { renaming, schemas }: { readonly renaming: string; readonly schemas: Schemas },
): Promise<string> {
  const renamed = renaming === "" ? [] : [{ name: "lockstep_rename", sql: renaming }]
  const now = target(input, [...before, ...undone, ...renamed])
  const names = all(schemas)
  const { empty, text } =
    names.length === 1 || input.shadowUrl !== undefined
      ? await withEngine(input, undefined, (engine) => engine.diff(now, target(input, before), "script"))
      : await diffOfSchemas(input, { now, before, names })
  return empty ? "" : inOneTransaction(text)
}

interface SeveralSchemas {
  readonly now: DiffTarget
  readonly before: readonly Step[]
  readonly names: readonly string[]
}

/** Of two histories the engine compares the URL's schema alone; of a history and a database those that a Prisma schema names. */
async function diffOfSchemas(input: Setting, { now, before, names }: SeveralSchemas) {
  const list = names.map((name) => JSON.stringify(name)).join(", ")
  const content = `datasource db {\n  provider = "postgresql"\n  schemas = [${list}]\n}\n`
  const files = [{ path: "schema.prisma", content }]
  return await withReplayed(input, before, async ({ client }) => {
    for (const name of names) await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(name)}`)
    const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name")
    const url = withDatabase(input.url, rows[0]?.name ?? "")
    const goal: DiffTarget = { tag: "schemaDatasource", ...container(files), configDir: "" }
    return await withEngine({ ...input, url }, files, (engine) => engine.diff(now, goal, "script"))
  })
}
