import { announce } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { allowEmpty, projectOptions } from "../cli/shared-options.js"
import { isDeploying, readComparison, readDatabase } from "../deploy/connect/read.js"
import { backoffMs, pause } from "../deploy/interrupt.js"
import { LockstepError } from "../errors.js"
import type { Comparison } from "../history/compare.js"
import type { Folder } from "../history/folder.js"
import { connect } from "../postgres/connect.js"
import { mayComeUp } from "../postgres/connection-error.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { findTarget } from "../project/database-url.js"
import { readMigrations } from "../project/project.js"
import { duration } from "../report/deploy.js"

/** `lockstep wait`: for what must not start before the database accepts connections, or before every migration is applied. */
export default defineCommand({
  description: [
    "Waits until the database accepts connections; with --applied, until every migration of the folder is applied as well, by whoever deploys. Changes nothing.",
    "It needs no more than SELECT on the table _prisma_migrations. What waiting cannot fix (a wrong password, TLS, a failed migration) ends it at once.",
  ],
  options: {
    ...projectOptions,
    timeout: { type: "duration", default: 300_000, description: "how long to wait" },
    applied: { type: "boolean", description: "wait until nothing is pending as well" },
    ...allowEmpty,
  },
  exitCodes: { 0: "ready", 1: "not ready in time, or never" },
  examples: ["lockstep wait --timeout 30s", "lockstep wait --applied"],
  async run({ settings, output, signal, project }) {
    const where = await project("migrations")
    const { url, ...target } = await findTarget(where)
    announce({ url, ...target }, output)
    const folder = readMigrations(where, { allowEmpty: settings.allowEmpty || !settings.applied })
    const started = Date.now()
    let reported = ""
    for (let attempt = 0; ; attempt++) {
      const missing = await whatIsMissing(url, settings.applied ? folder : undefined)
      const waitedMs = Date.now() - started
      if (missing === undefined) {
        const ready = settings.applied
          ? `${migrations(folder.migrations.length)} applied`
          : "the database accepts connections"
        output.data(`Ready: ${ready}.`)
        output.object({ schema: "lockstep.wait/1", ready: true, waitedMs })
        return 0
      }
      if (waitedMs >= settings.timeout) {
        output.data(`Not ready after ${duration(waitedMs)}: ${missing}.`)
        output.object({ schema: "lockstep.wait/1", ready: false, waitedMs, reason: missing })
        return 1
      }
      if (missing !== reported) output.say(`waiting: ${missing}`)
      reported = missing
      await pause(Math.min(backoffMs(attempt), 2000, settings.timeout - waitedMs), signal, "nothing was touched.")
    }
  },
})

/** In words, what is still missing; undefined when nothing is. Errors: those that waiting cannot fix. */
async function whatIsMissing(url: DatabaseUrl, folder: Folder | undefined): Promise<string | undefined> {
  try {
    if (folder === undefined) {
      await (await connect(url, { applicationName: "lockstep wait" })).end()
      return undefined
    }
    return await readDatabase({ url, applicationName: "lockstep wait" }, async (client) => {
      const read = async () => (await readComparison(client, { url, folder })).comparison
      const first = await read()
      const [unfinished] = first.failed
      if (!unfinished) return pendingIn(first)
      // A migration outside a transaction has its row before its statements: it has not failed while somebody deploys.
      if (await isDeploying(client)) return `${unfinished.name} is being applied`
      // The deployer may have recorded the end and left in the meantime.
      return pendingIn(await read())
    })
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error
    // A deploy creates the database, so the server's answer is enough for what comes before one.
    if (error.code === "L1215") return folder === undefined ? undefined : error.message
    // What holds a lock on the history may well be the deployer, and a migration may well grant what is missing.
    if (mayComeUp(error) || error.code === "L1014") return error.message
    if (error.code === "L1110") return `${error.message} (${error.details.next})`
    throw error
  }
}

function pendingIn({ pending, failed }: Comparison): string | undefined {
  const [broken] = failed
  if (broken) {
    throw new LockstepError("L1104", `${broken.name} has failed, and every deploy stops there`, {
      state: "nothing was touched.",
      next: "`lockstep status`",
    })
  }
  if (pending.length === 0) return undefined
  return `${migrations(pending.length)} pending`
}

const migrations = (count: number): string => (count === 1 ? "1 migration is" : `${count} migrations are`)
