import { LockstepError } from "../errors.js"
import { compare } from "../history/compare.js"
import type { Folder } from "../history/folder.js"
import { readHistory } from "../history/recorded.js"
import { connect } from "../postgres/connect.js"
import type { SchemaFiles } from "../project/schema.js"
import { type EngineSetting, historyList, withEngine } from "../schema-engine/engine.js"
import { stepsOf } from "../scratch/replay.js"
import { inOneTransaction, migrationName } from "./migration-file.js"

export interface CreateMigration extends EngineSetting {
  readonly folder: Folder
  readonly schemaFiles: SchemaFiles
  /** The words of the name, as the person typed them. */
  readonly name: string
  /** What to give where history and schema agree already: nothing, or an empty file to write SQL into. */
  readonly whenEqual: "nothing" | "draft"
  readonly now?: Date
}

/** A migration that is not written yet. */
export interface NewMigration {
  readonly state: "new"
  /** The folder's name, with its timestamp. */
  readonly name: string
  readonly sql: string
  /** What the engine finds would lose data, in its words. */
  readonly warnings: readonly string[]
  /** Steps that the data which is there now makes impossible, in the engine's words. */
  readonly unexecutable: readonly string[]
}

/**
 * The migration from the history to the schema. Everything pending must have been applied to the database before: the
 * engine looks at the database's data for its warnings. It writes no file (`writeMigration` does) and applies nothing.
 * Errors: L1403 the database differs from its history or is behind it, L1401, L1404 to L1408, L1414.
 */
export async function createMigration(input: CreateMigration): Promise<NewMigration | { readonly state: "nothing" }> {
  const { folder, schemaFiles, whenEqual, now = new Date() } = input
  const steps = stepsOf(folder)
  const name = migrationName(
    input.name,
    steps.map((step) => step.name),
    now,
  )
  await refusePending(input)
  return await withEngine(input, schemaFiles, async (engine) => {
    const list = historyList(folder.dir, steps, input.initShadowDb)
    const action = await engine.devDiagnostic(list)
    if (action.tag === "reset") throw differs(action.reason)
    const evaluation = await engine.evaluateDataLoss(list, schemaFiles)
    if (evaluation.migrationSteps === 0 && whenEqual === "nothing") return { state: "nothing" }
    const { migrationScript } = await engine.createMigration(list, schemaFiles, name)
    return {
      state: "new",
      name,
      sql: inOneTransaction(migrationScript ?? ""),
      warnings: evaluation.warnings.map(({ message }) => message),
      unexecutable: evaluation.unexecutableSteps.map(({ message }) => message),
    }
  })
}

async function refusePending({ url, folder }: CreateMigration): Promise<void> {
  const client = await connect(url)
  try {
    const rows = (await readHistory(client, url.schema)) ?? []
    const { pending } = compare(folder.migrations, rows)
    if (pending.length === 0) return
    throw new LockstepError("L1403", `${pending.length} migrations have to be applied before a new one can be made`, {
      hint: pending.map(({ name }) => name).join("\n"),
      state: "nothing was touched.",
      next: "lockstep deploy",
    })
  } finally {
    await client.end()
  }
}

function differs(reason: string): LockstepError {
  return new LockstepError("L1403", "the database differs from its history, so no migration can be made from it", {
    hint: reason.trim(),
    state: "nothing was touched.",
    next: "lockstep diff history database shows the difference; bring the files or the database back, or, where its data may go, run lockstep reset",
  })
}
