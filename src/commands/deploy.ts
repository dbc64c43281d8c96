import { announce } from "../cli/database.js"
import { runDeploy } from "../cli/deploy.js"
import { fleetDeployOptions, isFleet } from "../cli/fleet/options.js"
import { defineCommand } from "../cli/options.js"
import { deployOptions } from "../cli/shared-options.js"
import { findTarget, shadowUrlOf } from "../project/database-url.js"
import { readMigrations } from "../project/project.js"
import { deployReporter, verdict } from "../report/deploy.js"
import { deployRecorder } from "../report/formats/deploy-report.js"
import { checkFormats, formatOptions, give, giveFailure } from "../report/formats/formats.js"

/** `lockstep deploy`: applies what is pending, guarded and verified. */
export default defineCommand({
  description: [
    "Applies the pending migrations in order, without prompts.",
    "With --targets it deploys to many databases, or schemas of a database: side by side, in waves, up to a number of failures (docs/fleet.md).",
    "Each transactional migration commits together with its history row, so a failed one leaves nothing behind. Any number of deployers may run at once. The history is read back and verified before exit 0.",
  ],
  options: { ...deployOptions, ...fleetDeployOptions, ...formatOptions },
  exitCodes: { 0: "applied and verified, or nothing to do", 1: "failed; with --targets: not every one is up to date" },
  examples: [
    "DATABASE_URL=postgresql://... lockstep deploy",
    "lockstep deploy --json --lock-wait 10m",
    "lockstep deploy --format junit --output deploy.xml",
    "lockstep deploy --targets tenants.txt --canary 1,10,50% --max-failures 2%",
  ],
  async run(invocation) {
    const { settings, output, signal, project } = invocation
    checkFormats(settings)
    if (isFleet(settings)) return await (await import("./fleet/deploy.js")).runFleetDeploy(invocation)
    const where = await project(settings.verify === "schema" ? "everything" : "migrations")
    const target = await findTarget(where)
    const folder = readMigrations(where, settings)
    const report = deployReporter(output)
    const recorder = deployRecorder(async (course) => {
      const { deployPicture } = await import("../report/html/pictures/deploy.js")
      return deployPicture(course, folder.migrations, target.url)
    })
    const result = await runDeploy({
      url: target.url,
      folder,
      external: where.external,
      settings,
      shadow: settings.verify === "schema" ? { ...where, shadowUrl: shadowUrlOf(where) } : where,
      applicationName: "lockstep deploy",
      signal,
      onEvent: (event) => {
        report(event)
        recorder.onEvent(event)
        // The log begins with what is deployed where.
        if (event.event === "began") announce(target, output)
      },
      reportsActivity: output.terminal || output.json,
    }).catch(async (reason: unknown) => {
      await giveFailure(recorder.failed(reason), settings, output)
      throw reason
    })
    const done = verdict(result)
    const answer = {
      command: "deploy",
      text: () => done,
      object: { schema: "lockstep.deploy/1", event: "done", ...result },
      report: async () => recorder.succeeded(done),
      picture: recorder.picture,
    }
    await give(answer, settings, output)
    return 0
  },
})
