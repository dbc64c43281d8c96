import type { SchemaFiles } from "../project/schema.js"
import { type EngineSetting, withEngine } from "../schema-engine/engine.js"
import type { TakeLock } from "../schema-engine/lock.js"

export interface PushInput extends EngineSetting {
  readonly schemaFiles: SchemaFiles
  readonly takeLock: TakeLock
  /** What to do with a change that loses data: leave the database alone and say so, or make it. */
  readonly dataLoss: "refuse" | "accept"
}

/** What a push did, or would do. */
export interface Pushed {
  readonly state: "pushed" | "refused" | "nothing"
  readonly steps: number
  /** What loses data (or would), in the engine's words. */
  readonly warnings: readonly string[]
  /** What the data that is there makes impossible; only emptying the database helps. */
  readonly unexecutable: readonly string[]
}

/**
 * Makes the database like the schema, without a migration, under the migration lock. A push that is refused changes
 * nothing. Errors: L1401, L1407, L1408.
 */
export async function push(input: PushInput): Promise<Pushed> {
  return await withEngine(input, input.schemaFiles, async (engine) => {
    const answer = await engine.schemaPush(input.schemaFiles, input.dataLoss)
    const refused = answer.unexecutable.length > 0 || (input.dataLoss === "refuse" && answer.warnings.length > 0)
    return {
      state: refused ? "refused" : answer.executedSteps === 0 ? "nothing" : "pushed",
      steps: answer.executedSteps,
      warnings: answer.warnings,
      unexecutable: answer.unexecutable,
    }
  })
}

/**
 * Empties the database as Prisma does: drops and creates the schema of the URL and those that the Prisma schema names,
 * the history with them, under the migration lock. Applying the history again and seeding are the caller's.
 * Errors: L1407, L1408.
 */
export async function emptyForReset(
  setting: EngineSetting & { readonly takeLock: TakeLock },
  schemaFiles: SchemaFiles | undefined,
): Promise<void> {
  await withEngine(setting, schemaFiles, (engine) => engine.reset())
}
