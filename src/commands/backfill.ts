import { chooseBackfills, readBackfills } from "../backfill/file.js"
import { backfillOptions, runBackfill } from "../cli/backfill.js"
import { announce } from "../cli/database.js"
import { fleetDeployOptions, isFleet } from "../cli/fleet/options.js"
import { defineCommand } from "../cli/options.js"
import { LockstepError } from "../errors.js"
import { backfillsFolder, readFolder } from "../history/folder.js"
import { findTarget } from "../project/database-url.js"
import { backfillRecorder, backfillReporter, backfillVerdict } from "../report/backfill/run.js"
import { asLockstepError, errorObject } from "../report/error.js"
import { type Answer, checkFormats, formatOptions, give, giveFailure } from "../report/formats/formats.js"

/** `lockstep backfill`: data changes in small batches. */
export default defineCommand({
  description: [
    "Runs data changes in small batches: each file of the folder backfills, beside the migrations, holds one UPDATE, DELETE or INSERT … SELECT as it would be typed in psql, and is run for one range of its table's rows after another.",
    "Each batch commits together with how far it is, so that every row is handled once, whatever is killed when; the same command continues where it stopped. Deploys may run meanwhile. Without names it runs all that are not finished. docs/backfill.md describes it.",
  ],
  operands: [
    {
      name: "names",
      required: false,
      amount: "several",
      description: "the backfills to run, or the beginnings of their names",
    },
  ],
  options: {
    ...backfillOptions,
    list: { type: "boolean", description: "only print where each backfill stands", source: "command line" },
    dryRun: {
      type: "boolean",
      description: "only print what would be run, with the SQL of a batch",
      source: "command line",
    },
    ...fleetDeployOptions,
    ...formatOptions,
  },
  exitCodes: {
    0: "finished, or nothing to do; with --list: all are finished",
    1: "failed; with --list: not all are finished; with --targets: not every database is done",
  },
  examples: [
    "lockstep backfill",
    "lockstep backfill 20260403090000_first_names --batch-time 200ms --pause 50ms",
    "lockstep backfill --max-lag 5s",
    "lockstep backfill --list",
    "lockstep backfill --dry-run",
    "lockstep backfill --targets tenants.txt --canary 1,10%",
  ],
  async run(invocation) {
    const { settings, operands, output, signal, project } = invocation
    checkFormats(settings)
    if (settings.restart && operands.length === 0)
      throw new LockstepError("L1301", "--restart takes the names of the backfills that are to begin again", {
        state: "nothing was touched.",
        next: "`lockstep backfill --list` shows them",
      })
    const where = await project("migrations")
    const backfills = chooseBackfills(readBackfills(backfillsFolder(where.migrationsDir)), operands)
    if (isFleet(settings)) {
      const { readFleetBackfills, runFleetBackfill } = await import("./fleet/backfill.js")
      const fleet = { where, backfills }
      if (settings.list || settings.dryRun)
        return await readFleetBackfills(invocation, { ...fleet, what: settings.list ? "list" : "dry run" })
      return await runFleetBackfill(invocation, fleet)
    }
    const target = await findTarget(where)
    const reading = { url: target.url, applicationName: "lockstep backfill", backfills }
    if (settings.list || settings.dryRun) {
      announce(target, output)
      const { answer, code } = await read({ ...reading, batch: settings.batch }, settings.list ? "list" : "dry run")
      await give({ command: "backfill", ...answer }, settings, output)
      return code
    }
    const reportEvent = backfillReporter(output)
    const recorder = backfillRecorder()
    const picture = async () => (await pictures()).backfillRunPicture(reading, recorder.course())
    const result = await runBackfill({
      ...{ ...reading, settings, signal, folder: readFolder(where.migrationsDir) },
      onEvent: (event) => {
        reportEvent(event)
        recorder.onEvent(event)
        if (event.event === "began") announce(target, output)
      },
    }).catch(async (reason: unknown) => {
      const failed = { report: recorder.failed(reason), object: errorObject(asLockstepError(reason)), picture }
      await giveFailure(failed, settings, output)
      throw reason
    })
    const verdict = backfillVerdict(result)
    const object = { schema: "lockstep.backfill/1", event: "done", ...result }
    const report = recorder.succeeded(verdict)
    const answer = { command: "backfill", text: () => verdict, object, report: async () => report, picture }
    await give(answer, settings, output)
    return 0
  },
})

const pictures = () => import("../report/html/pictures/backfill.js")

type Shown = Omit<Answer, "command">
type Reading = Parameters<typeof import("../backfill/survey.js").dryRun>[0]

/** What a command that only reads prints. */
async function read(reading: Reading, what: "list" | "dry run"): Promise<{ answer: Shown; code: 0 | 1 }> {
  const [{ dryRun, surveyBackfills }, text] = await Promise.all([
    import("../backfill/survey.js"),
    import("../report/backfill/text.js"),
  ])
  if (what === "list") {
    const list = text.backfillListOf(await surveyBackfills(reading))
    const answer: Shown = {
      text: () => text.renderBackfillList(list),
      object: list,
      report: async () => text.backfillListReport(list),
      picture: async () => (await pictures()).backfillListPicture(reading, list),
    }
    return { answer, code: text.isAllFinished(list) ? 0 : 1 }
  }
  const plan = text.backfillPlanOf(await dryRun(reading))
  const answer: Shown = {
    text: () => text.renderBackfillPlan(plan),
    object: plan,
    report: async () => text.backfillPlanReport(plan),
    picture: async () => (await pictures()).backfillPlanPicture(reading, plan),
  }
  return { answer, code: 0 }
}
