import type { SchemaFiles } from "./engine.js"
import type { TakeLock } from "./lock.js"
import { type Setting, withEngine } from "./setting.js"

/**
 * Empties the database as Prisma does: drops and creates the schema of the URL and those that the Prisma schema names,
 * the history with them, under the migration lock. Applying the history again and seeding are the caller's.
 * Errors: L1407, L1408.
 */
export async function emptyForReset(
  setting: Setting & { readonly takeLock: TakeLock },
  schemaFiles: SchemaFiles | undefined,
): Promise<void> {
  await withEngine(setting, schemaFiles, (engine) => engine.reset())
}
