import { announce } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { projectOptions } from "../cli/shared-options.js"
import { readDatabase } from "../deploy/connect/read.js"
import { LockstepError } from "../errors.js"
import { readHistory } from "../history/recorded.js"
import { inLine } from "../printable.js"
import { findTarget } from "../project/database-url.js"
import { bytesText } from "../report/amount.js"
import { duration } from "../report/deploy.js"

/** `lockstep backup`: the database and its history, in one file. */
export default defineCommand({
  description: [
    "Backs the database up with pg_dump, in its custom format: one file that only you may read, named by the database, the time and the history's state, and beside it a JSON file with its checksum. Changes nothing; deploys may go on meanwhile.",
    "Needs PostgreSQL's client programs, of the server's version or newer. `lockstep restore` is the way back; `lockstep deploy --backup-to` takes one before it applies what is pending.",
  ],
  options: {
    ...projectOptions,
    to: { type: "text", value: "dir", description: "the folder; it is created where it does not exist" },
    onlySchema: {
      type: "boolean",
      description: "the URL's schema alone, where a database holds one for each tenant",
      source: "command line",
    },
  },
  exitCodes: { 0: "backed up", 1: "failed" },
  examples: ["lockstep backup --to backups", "DATABASE_URL=postgresql://... lockstep backup --to /backups --json"],
  async run({ settings, output, signal, project }) {
    const { to, onlySchema } = settings
    if (to === undefined)
      throw new LockstepError("L1301", "--to is missing: the folder for the backup", {
        next: "`lockstep backup --to DIR`",
      })
    const target = await findTarget(await project("migrations"))
    announce(target, output)
    const { url } = target
    const [{ takeBackup }, { stateOf }, { serverVersion }] = await Promise.all([
      import("../backup/backup.js"),
      import("../backup/archive.js"),
      import("../backup/programs.js"),
    ])
    const backup = await readDatabase({ url, applicationName: "lockstep backup" }, async (client) => {
      const server = await serverVersion(client)
      // pg_dump reads in the snapshot in which the history is read.
      await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
      const { rows } = await client.query<{ snapshot: string }>("SELECT pg_catalog.pg_export_snapshot() AS snapshot")
      await client.query("SAVEPOINT before_history")
      const recorded = (await readHistory(client, url.schema)) ?? []
      // Where there is no history, the error has ended the transaction, and the snapshot would end with it.
      await client.query("ROLLBACK TO SAVEPOINT before_history")
      return await takeBackup({
        ...{ url, dir: to, scope: onlySchema ? "schema" : "database", server, signal },
        history: stateOf(recorded),
        snapshot: rows[0]?.snapshot,
        onProgress: (bytes) => output.live(`  ..  ${bytesText(bytes)}`),
      })
    })
    const { path, bytes, history, durationMs } = backup
    output.say(`  ${bytesText(bytes)} in ${duration(durationMs)}, sha256 ${backup.sha256}`)
    output.data(`Backed up: ${inLine(path)} (${inLine(historyText(history))}).`)
    output.object({ ...backup, schema: "lockstep.backup/1" })
    return 0
  },
})

/** A history's state in words. */
export function historyText({
  applied,
  last,
  failed,
}: {
  applied: number
  last: string | null
  failed: string | null
}) {
  const state = last === null ? "no migration applied" : `${applied} applied, last ${last}`
  return failed === null ? state : `${state}, failed: ${failed}`
}
