import { announce } from "../cli/database.js"
import { isFleet, targetOptions } from "../cli/fleet/options.js"
import { defineCommand } from "../cli/options.js"
import { allowEmpty, projectOptions } from "../cli/shared-options.js"
import { readStatus } from "../cli/status.js"
import { duplicateRemarks } from "../history/compare.js"
import { timestampRemarks } from "../history/names.js"
import { inLine } from "../printable.js"
import { findTarget } from "../project/database-url.js"
import { readMigrations } from "../project/project.js"
import { checkFormats, formatOptions, give } from "../report/formats/formats.js"
import { backfillRemarks, isUpToDate, renderStatus, statusAnswerOf } from "../report/status.js"

/** `lockstep status`: the folder and the history side by side. Reads only. */
export default defineCommand({
  description: [
    "Shows which migrations are applied, pending, failed, rolled back, edited after they were applied, or recorded but missing from the folder, and the order in which the pending ones will run. Changes nothing.",
  ],
  options: { ...projectOptions, ...targetOptions, ...allowEmpty, ...formatOptions },
  exitCodes: { 0: "up to date", 1: "not up to date, or the database cannot be read" },
  examples: [
    "DATABASE_URL=postgresql://... lockstep status",
    "lockstep status --json",
    "lockstep status --format markdown",
    "lockstep status --targets tenants.txt",
  ],
  async run(invocation) {
    const { settings, output, project } = invocation
    checkFormats(settings)
    if (isFleet(settings)) return await (await import("./fleet/status.js")).runFleetStatus(invocation, "history")
    const where = await project("migrations")
    const target = await findTarget(where)
    announce(target, output)
    const folder = readMigrations(where, settings)
    const { comparison, ...database } = await readStatus(target.url, folder)
    for (const remark of [
      ...folder.remarks,
      ...timestampRemarks(folder.migrations),
      ...duplicateRemarks(comparison.duplicates),
      ...backfillRemarks(database.backfills),
    ])
      output.say(`  note  ${inLine(remark)}`)
    const text = renderStatus(comparison, { total: folder.migrations.length, ...database, now: Date.now() })
    const answer = {
      command: "status",
      text: () => text,
      object: statusAnswerOf(comparison, database),
      report: async () => {
        const { statusReport } = await import("../report/formats/report.js")
        return statusReport(comparison, folder.migrations, text)
      },
      picture: async () => {
        const { statusPicture, subjectOf } = await import("../report/html/pictures/history.js")
        return statusPicture(comparison.all, subjectOf(target.url), database.losses)
      },
    }
    await give(answer, settings, output)
    return isUpToDate(comparison) ? 0 : 1
  },
})
