import { LockstepError } from "../errors.js"
import { compare } from "../history/compare.js"
import type { Folder } from "../history/folder.js"
import { readHistory } from "../history/recorded.js"
import { type Client, connect } from "../postgres/connect.js"
import type { SchemaFiles } from "../project/schema.js"
import { type Engine, type EngineSetting, historyList, withEngine } from "../schema-engine/engine.js"
import { stepsOf } from "../scratch/replay.js"
import { loadParser } from "../sql/parser.js"
import { type Change, type Decisions, finishChange } from "./change.js"
import { inOneTransaction, migrationName } from "./migration-file.js"

interface Creation extends EngineSetting {
  readonly folder: Folder
  readonly schemaFiles: SchemaFiles
  /** The words of the name, as the person typed them. */
  readonly name: string
  /** What to return where the history already makes the schema: nothing, or an empty draft to write SQL into. */
  readonly whenEqual: "nothing" | "draft"
  /** What is known about renames; without it nothing is one. */
  readonly decisions?: Decisions | undefined
  readonly now?: Date
}

/** A migration that is not written yet. */
export interface NewMigration extends Change {
  readonly state: "new"
  /** The folder's name, with its timestamp. */
  readonly name: string
  /** The one to write before it, with the enum values that it uses: they must be committed before. */
  readonly precededBy: { readonly name: string; readonly sql: string } | undefined
}

/**
 * The migration from the history to the schema. Every pending migration must be applied to the database before: the
 * engine looks at the data for its warnings. It writes no file (`writeMigration` does) and applies nothing.
 * Errors: L1403 the database differs from its history or is behind it, L1414 the name cannot be used, L1415 a rename was
 * told that does not fit, L1416 a rename does not lead to the schema.
 */
export async function createMigration(creation: Creation): Promise<NewMigration | { readonly state: "nothing" }> {
  const { folder, now = new Date(), url } = creation
  const existing = folder.migrations.map(({ name }) => name)
  const name = migrationName(creation.name, existing, now)
  const client = await connect(url)
  try {
    await refusePending(client, creation)
    const drafted = await withEngine(creation, creation.schemaFiles, (engine) => draft(engine, creation, name))
    if (drafted.state !== "differs")
      return drafted.state === "nothing" ? drafted : { state: "new", ...whole(name, drafted.change) }
    const { before, ...change } = await finishChange(drafted.change, creation, client)
    if (before === undefined) return { state: "new", ...whole(name, change) }
    const first = migrationName(`${creation.name} enum values`, existing, now)
    const second = migrationName(creation.name, [...existing, first], now)
    return { state: "new", ...change, name: second, precededBy: { name: first, sql: before } }
  } finally {
    await client.end()
  }
}

const whole = (name: string, change: Change) => ({ ...change, name, precededBy: undefined })

type Draft = { readonly state: "nothing" } | { readonly state: "equal" | "differs"; readonly change: Change }

/** What the engine makes of the schema's change. */
async function draft(engine: Engine, creation: Creation, name: string): Promise<Draft> {
  const { folder, schemaFiles, whenEqual, initShadowDb } = creation
  const list = historyList(folder.dir, stepsOf(folder.migrations), initShadowDb)
  const diagnosed = engine.devDiagnostic(list)
  // It is compiled while the server works; who needs it gets its error.
  loadParser().catch(() => undefined)
  const action = await diagnosed
  if (action.tag === "reset") throw differs(action.reason)
  const evaluation = await engine.evaluateDataLoss(list, schemaFiles)
  const isEqual = evaluation.migrationSteps === 0
  if (isEqual && whenEqual === "nothing") return { state: "nothing" }
  const { migrationScript } = await engine.createMigration(list, schemaFiles, name)
  const change: Change = {
    sql: inOneTransaction(migrationScript ?? ""),
    warnings: evaluation.warnings.map(({ message }) => message),
    unexecutable: evaluation.unexecutableSteps.map(({ message }) => message),
    ...{ losses: [], unaccepted: [], renames: [], candidates: [] },
  }
  return { state: isEqual ? "equal" : "differs", change }
}

async function refusePending(client: Client, { url, folder }: Creation): Promise<void> {
  const rows = (await readHistory(client, url.schema)) ?? []
  const { pending } = compare(folder.migrations, rows)
  if (pending.length === 0) return
  throw new LockstepError("L1403", `${pending.length} migrations must be applied before a new one can be created`, {
    hint: pending.map(({ name }) => name).join("\n"),
    state: "nothing was touched.",
    next: "`lockstep deploy`",
  })
}

function differs(reason: string): LockstepError {
  return new LockstepError("L1403", "the database differs from its history, so no migration can be created from it", {
    hint: reason.trim(),
    state: "nothing was touched.",
    next: "see the difference with `lockstep diff history database`, then change the files or the database back; or, if the database's data may go, run `lockstep reset`",
  })
}
