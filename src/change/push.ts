import type { SchemaFiles } from "../project/schema.js"
import type { TakeLock } from "../schema-engine/adapter.js"
import { type EngineSetting, withEngine } from "../schema-engine/engine.js"

interface Push extends EngineSetting {
  readonly schemaFiles: SchemaFiles
  readonly takeLock: TakeLock
  /** Whether a change that loses data is refused, or made. */
  readonly dataLoss: "refuse" | "accept"
}

/** What a push did, or would do where it is refused. */
export interface Pushed {
  readonly state: "pushed" | "refused" | "nothing"
  readonly steps: number
  /** What loses data, in the engine's words. */
  readonly warnings: readonly string[]
  /** Steps that fail with the data in the database. */
  readonly unexecutable: readonly string[]
}

/**
 * Makes the database like the schema, without a migration, under the migration lock. A push that is refused changes
 * nothing.
 */
export async function push(input: Push): Promise<Pushed> {
  const { schemaFiles, dataLoss } = input
  return await withEngine(input, schemaFiles, async (engine) => {
    const { executedSteps: steps, warnings, unexecutable } = await engine.schemaPush(schemaFiles, dataLoss)
    const refused = unexecutable.length > 0 || (dataLoss === "refuse" && warnings.length > 0)
    const state = refused ? "refused" : steps === 0 ? "nothing" : "pushed"
    return { state, steps, warnings, unexecutable }
  })
}
