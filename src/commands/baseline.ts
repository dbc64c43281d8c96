import { diff, indexOfMigration } from "../change/diff.js"
import { openWorkplace, requireDatabase, withLockedDatabase } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { projectOptions } from "../cli/shared-options.js"
import { LockstepError } from "../errors.js"
import { readHistory } from "../history/recorded.js"
import { adopt } from "../history/rows.js"
import { deployNarrator } from "../report/deploy.js"

/** `lockstep baseline`: a database that was there before its history adopts it. */
export default defineCommand({
  description: [
    "Records the migrations as applied in a database that already has the schema that they create, and has no history yet.",
    "The history is replayed on a scratch database and compared first, so that nothing is recorded that is not in the database.",
  ],
  options: {
    ...projectOptions,
    upTo: {
      type: "text",
      value: "name",
      description: "the last migration that the database holds",
      defaultDescription: "all of them",
    },
    acceptDrift: { type: "boolean", description: "record although the database differs", source: "command line" },
  },
  exitCodes: { 0: "recorded", 1: "the database has a history, or is not what the migrations create" },
  examples: ["lockstep baseline", "lockstep baseline --up-to 20260112090000_init"],
  async run({ settings: { upTo, acceptDrift }, output, signal, project }) {
    const { target, folder, setting } = await openWorkplace(await project(), output)
    const names = folder.migrations.map(({ name }) => name)
    const last = upTo === undefined ? names.length - 1 : indexOfMigration(folder.migrations, upTo)
    const adopted = folder.migrations.slice(0, last + 1)
    if (adopted.length === 0) throw new LockstepError("L1106", `there are no migrations in ${folder.dir}`)
    await requireDatabase(target)
    await withLockedDatabase({ target, signal, onEvent: deployNarrator(output) }, async (client) => {
      if ((await readHistory(client, target.url.schema))?.length) {
        throw new LockstepError("L1109", "the database has a history already", {
          state: "nothing was recorded.",
          next: "`lockstep status`",
        })
      }
      const drift = acceptDrift
        ? undefined
        : await diff({
            ...setting,
            folder,
            from: { side: "history", upTo: names[last] },
            to: { side: "database" },
            form: "summary",
          })
      if (drift && !drift.empty) {
        throw new LockstepError("L1031", "the database is not what these migrations make", {
          hint: drift.text.trim(),
          state: "nothing was recorded.",
          next: "name the last one that it holds with --up-to, or add --accept-drift",
        })
      }
      await adopt(client, target.url.schema, adopted)
    })
    output.data(`${adopted.length} of ${names.length} migrations recorded as applied.`)
    output.object({ schema: "lockstep.baseline/1", recorded: adopted.map(({ name }) => name) })
    return 0
  },
})
