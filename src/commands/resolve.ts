import { announce, requireDatabase, withLockedDatabase } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { projectOptions } from "../cli/shared-options.js"
import { LockstepError } from "../errors.js"
import { readFolder } from "../history/folder.js"
import { fullName } from "../history/names.js"
import { readHistory } from "../history/recorded.js"
import { keepOneRow, markApplied, markRolledBack } from "../history/resolve.js"
import { findTarget } from "../project/database-url.js"
import { deployNarrator } from "../report/deploy.js"

/** `lockstep resolve`: marks a failed migration as applied or rolled back. */
export default defineCommand({
  description: [
    "Marks a failed migration in the history as rolled back or as applied, after you have repaired the database by hand: --rolled-back when nothing of it is in the database any more (the next deploy runs it again), --applied when all of it is.",
    "--applied for a migration that is recorded as applied more than once keeps the first row and marks the others as rolled back.",
  ],
  options: {
    ...projectOptions,
    applied: {
      type: "text",
      value: "name",
      description: "the migration that is wholly in the database; the beginning of its name is enough",
    },
    rolledBack: { type: "text", value: "name", description: "the migration of which nothing is in the database" },
  },
  exitCodes: { 0: "marked", 1: "the history does not allow it" },
  examples: ["lockstep resolve --rolled-back 20260403090000_backfill_total"],
  async run({ settings: { applied, rolledBack }, output, signal, project }) {
    const given = applied ?? rolledBack
    if (given === undefined || (applied && rolledBack)) {
      throw new LockstepError("L1301", "resolve takes either --applied or --rolled-back, with a migration's name", {
        next: "`lockstep resolve --help`",
      })
    }
    const where = await project("migrations")
    const target = await findTarget(where)
    announce(target, output)
    await requireDatabase(target)
    const { schema } = target.url
    const waiting = { target, signal, onEvent: deployNarrator(output) }
    const { name, extra } = await withLockedDatabase(waiting, async (client) => {
      const recorded = ((await readHistory(client, schema)) ?? []).map((row) => row.name)
      if (rolledBack) {
        const name = fullName(given, recorded)
        await markRolledBack(client, schema, name)
        return { name, extra: 0 }
      }
      const { migrations } = readFolder(where.migrationsDir)
      const name = fullName(given, [...recorded, ...migrations.map((one) => one.name)])
      const extra = await keepOneRow(client, schema, name)
      if (extra > 0) return { name, extra }
      const migration = migrations.find((one) => one.name === name)
      if (migration === undefined)
        throw new LockstepError("L1107", `there is no migration ${name} in the folder`, {
          next: "`lockstep status` lists them",
        })
      await markApplied(client, schema, migration)
      return { name, extra }
    })
    const outcome =
      extra > 0
        ? `recorded once now; ${extra} more of its rows ${extra === 1 ? "is" : "are"} marked as rolled back`
        : "marked as applied"
    output.data(
      rolledBack ? `${name} is marked as rolled back; the next deploy runs it again.` : `${name} is ${outcome}.`,
    )
    output.object({ schema: "lockstep.resolve/1", name, state: rolledBack ? "rolled back" : "applied" })
    return 0
  },
})
