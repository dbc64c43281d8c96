import { LockstepError } from "../errors.js"
import { compare } from "../history/compare.js"
import type { Folder } from "../history/folder.js"
import { readHistory } from "../history/recorded.js"
import { connect } from "../postgres/connect.js"
import type { SchemaFiles } from "../project/schema.js"
import { type EngineSetting, historyList, withEngine } from "../schema-engine/engine.js"
import { stepsOf } from "../scratch/replay.js"
import { inOneTransaction, migrationName } from "./migration-file.js"

interface Creation extends EngineSetting {
  readonly folder: Folder
  readonly schemaFiles: SchemaFiles
  /** The words of the name, as the person typed them. */
  readonly name: string
  /** What to return where the history already makes the schema: nothing, or an empty draft to write SQL into. */
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
  /** Steps that fail with the data in the database, in the engine's words. */
  readonly unexecutable: readonly string[]
}

/**
 * The migration from the history to the schema. Every pending migration must be applied to the database before: the
 * engine looks at the data for its warnings. It writes no file (`writeMigration` does) and applies nothing.
 * Errors: L1403 the database differs from its history or is behind it, L1414 the name cannot be used.
 */
export async function createMigration(creation: Creation): Promise<NewMigration | { readonly state: "nothing" }> {
  const { folder, schemaFiles, whenEqual, now = new Date() } = creation
  const existing = folder.migrations.map(({ name }) => name)
  const name = migrationName(creation.name, existing, now)
  await refusePending(creation)
  return await withEngine(creation, schemaFiles, async (engine) => {
    const list = historyList(folder.dir, stepsOf(folder.migrations), creation.initShadowDb)
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

async function refusePending({ url, folder }: Creation): Promise<void> {
  const client = await connect(url)
  try {
    const rows = (await readHistory(client, url.schema)) ?? []
    const { pending } = compare(folder.migrations, rows)
    if (pending.length === 0) return
    throw new LockstepError("L1403", `${pending.length} migrations must be applied before a new one can be created`, {
      hint: pending.map(({ name }) => name).join("\n"),
      state: "nothing was touched.",
      next: "`lockstep deploy`",
    })
  } finally {
    await client.end()
  }
}

function differs(reason: string): LockstepError {
  return new LockstepError("L1403", "the database differs from its history, so no migration can be created from it", {
    hint: reason.trim(),
    state: "nothing was touched.",
    next: "see the difference with `lockstep diff history database`, then change the files or the database back; or, if the database's data may go, run `lockstep reset`",
  })
}
