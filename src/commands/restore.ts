import { reopenProgress } from "../backfill/progress.js"
import { announce, withLockedDatabase } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { confirmDestruction } from "../cli/prompts.js"
import { consent, projectOptions } from "../cli/shared-options.js"
import { LockstepError } from "../errors.js"
import { inLine } from "../printable.js"
import { findTarget } from "../project/database-url.js"
import { deployNarrator, duration } from "../report/deploy.js"
import { historyText } from "./backup.js"

/** `lockstep restore`: a database as it was when it was backed up. */
export default defineCommand({
  description: [
    "Restores what `lockstep backup` or `lockstep deploy --backup-to` has written: after its checksum is compared, with pg_restore, in one transaction, under the migration lock. A database that does not exist is created; one that is not empty is refused, without --replace.",
    "The history comes back with the data: migrations applied after the backup are pending again.",
  ],
  operands: [{ name: "file", required: true, description: "the backup" }],
  options: {
    ...projectOptions,
    replace: {
      type: "boolean",
      description: "drop what the database holds first (needs consent)",
      source: "command line",
    },
    noOwner: {
      type: "boolean",
      description: "without the backup's owners and grants, for a server that has other roles",
      source: "command line",
    },
    ...consent,
  },
  exitCodes: { 0: "restored", 1: "failed, or the database is not empty" },
  examples: [
    "DATABASE_URL=postgresql://.../shop_restored lockstep restore backups/shop-20260403T101500Z-12-20260402101500_x.dump",
    "lockstep restore backups/shop-20260403T101500Z-12-20260402101500_x.dump --replace --yes",
  ],
  async run({ settings, operands: [file = ""], output, signal, project }) {
    const target = await findTarget(await project("migrations"))
    announce(target, output)
    const { url } = target
    const [{ checkArchive }, { restoreArchive }] = await Promise.all([
      import("../backup/archive.js"),
      import("../backup/restore.js"),
    ])
    const note = await checkArchive(file)
    if (note === undefined) output.say(`  note  nothing stands beside ${inLine(file)}: its checksum is not compared`)
    else output.say(`  checksum matches; taken ${note.takenAt}: ${inLine(historyText(note.history))}`)
    if (note?.scope === "schema" && note.databaseSchema !== url.schema)
      throw otherSchema(note.databaseSchema, url.schema)
    if (settings.replace) await confirmDestruction({ target, yes: settings.yes, what: "dropping all data" })
    const started = performance.now()
    const restored = await withLockedDatabase({ target, signal, onEvent: deployNarrator(output) }, async (client) => {
      const done = await restoreArchive({
        ...{ client, url, archive: file, signal },
        place: note?.scope === "schema" ? { scope: "schema", schema: url.schema } : { scope: "database" },
        existing: settings.replace ? "replace" : "refuse",
        owners: settings.noOwner ? "none" : "as in the backup",
      })
      if (note?.scope !== "schema") return done
      const reopened = await reopenProgress(client, url.schema, note.takenAt)
      for (const name of reopened)
        output.say(
          `  note  the backfill ${inLine(name)} is not known to be done in what was restored: \`lockstep backfill --list\``,
        )
      return done
    })
    const durationMs = Math.round(performance.now() - started)
    const { history, replaced } = restored
    output.say("`lockstep status` compares it with the folder.")
    output.data(`Restored in ${duration(durationMs)}: ${inLine(historyText(history))}.`)
    const checksum = note === undefined ? "none" : "matches"
    output.object({ schema: "lockstep.restore/1", file, checksum, replaced, history, durationMs })
    return 0
  },
})

const otherSchema = (backedUp: string, named: string): LockstepError =>
  new LockstepError("L2045", `the backup is of the schema ${inLine(backedUp)}, and the URL names ${inLine(named)}`, {
    state: "nothing was touched.",
    next: `name the schema in the URL: ?schema=${encodeURIComponent(backedUp)}`,
  })
