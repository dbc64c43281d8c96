import { lockFor, openWorkplace } from "../cli/database.js"
import { applyPending, seed } from "../cli/deploy.js"
import { defineCommand } from "../cli/options.js"
import { confirmDestruction } from "../cli/prompts.js"
import { consent, projectOptions } from "../cli/shared-options.js"
import { preceded } from "../errors.js"
import { dropSchemas } from "../postgres/schemas.js"
import { namespacesAlone, readSchemaIfPossible } from "../project/schema.js"
import { deployNarrator, verdict } from "../report/deploy.js"
import { withEngine } from "../schema-engine/engine.js"
import { stepsOf } from "../scratch/replay.js"
import { schemasMadeBy } from "../scratch/schemas.js"

/** `lockstep reset`: empties the database, applies the whole history, seeds. */
export default defineCommand({
  description: [
    "Drops everything in the database's schema, and in those that the Prisma schema names or the history makes, applies the whole history again and runs the seed. A running deploy is waited for.",
    "On any database but the test database it requires consent: --yes, or the database's name typed on a terminal.",
  ],
  options: {
    ...projectOptions,
    skipSeed: { type: "boolean", description: "do not run the seed", source: "command line" },
    ...consent,
  },
  exitCodes: { 0: "done", 1: "failed" },
  examples: ["lockstep reset", "DATABASE_URL=postgresql://... lockstep reset --yes --skip-seed"],
  async run({ settings, output, signal, project }) {
    const { target, folder, setting, project: parts } = await openWorkplace(await project(), output)
    await confirmDestruction({ target, yes: settings.yes, what: "dropping all data" })
    const waiting = { target, signal, onEvent: deployNarrator(output) }
    // The Prisma schema may name further PostgreSQL schemas; where there is none, the URL's is all.
    const [, ...made] = await schemasMadeBy(stepsOf(folder.migrations), target.url.schema)
    const schemaFiles = namespacesAlone(readSchemaIfPossible(parts.schemaPath), made)
    await withEngine({ ...setting, takeLock: lockFor(waiting) }, schemaFiles, async (engine) => {
      // The engine creates again what it drops, and the migration that makes a schema would fail.
      await engine.locked(() => dropSchemas(target.url, made))
      await engine.reset()
    })
    output.say(`emptied ${target.url.display}`)
    const emptied = (error: unknown) => Promise.reject(preceded(error, "The database was emptied."))
    const result = await applyPending(waiting, folder, parts.external).catch(emptied)
    output.say(verdict(result))
    const { applied } = result
    const migrated = (error: unknown) => Promise.reject(preceded(error, "The database was emptied and migrated."))
    const seeded = !settings.skipSeed && (await seed(waiting, parts).catch(migrated))
    output.object({ schema: "lockstep.reset/1", applied, seeded })
    output.data(
      `Reset: ${applied.length} migration${applied.length === 1 ? "" : "s"} applied${seeded ? ", seeded" : ""}.`,
    )
    return 0
  },
})
