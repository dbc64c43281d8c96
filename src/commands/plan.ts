import { announce } from "../cli/database.js"
import { isFleet, targetOptions } from "../cli/fleet/options.js"
import { defineCommand } from "../cli/options.js"
import { allowEmpty, projectOptions, scratchServer } from "../cli/shared-options.js"
import { parseDatabaseUrl } from "../postgres/url.js"
import { inLine } from "../printable.js"
import { findTarget, shadowUrlOf } from "../project/database-url.js"
import { readMigrations } from "../project/project.js"
import { checkFormats, formatOptions, give, type Style } from "../report/formats/formats.js"
import { canBeApplied, hazardNames, hazardsIn } from "../report/hazards.js"
import { renderPlan } from "../report/plan.js"
import { planObject } from "../report/plan-json.js"

const failOn = {
  type: "list",
  value: "what",
  choices: hazardNames,
  description: "exit 1 where the plan has one of these, separated by commas",
} as const

const estimate = {
  type: "boolean",
  description: "estimate from the SQL, without a scratch database",
} as const

/** `lockstep plan`: what a deploy would do, statement by statement. Reads only. */
export default defineCommand({
  description: [
    "Runs the pending migrations on a scratch database in the state of the applied ones, and shows for each statement what PostgreSQL did: which locks it took on which tables, who waits for them and until when, what it read, rewrote and wrote, what data it destroys, and the safer way where there is one. Sizes come from the database, of which it only reads.",
    "The scratch database is made on the server of --shadow-url or shadowDatabaseUrl, else of the running test database, else on an embedded server that runs as long as the command. Where none of them can be used, the plan is estimated from the SQL and says so.",
    "With --targets what is pending is observed once for each state in which databases of the fleet are, and shown with the sizes of the one where it is worst.",
    "Row counts are PostgreSQL's estimates. The rules behind an estimate are measured: docs/lock-rules.md lists them.",
  ],
  options: { ...projectOptions, ...targetOptions, ...scratchServer, estimate, failOn, ...allowEmpty, ...formatOptions },
  exitCodes: {
    0: "a plan, also one that destroys data",
    1: "a deploy could not apply it (a failed migration, SQL that cannot be parsed or that PostgreSQL refuses, a database without a history that is not empty); it has what --fail-on names; or the database cannot be read",
  },
  examples: [
    "DATABASE_URL=postgresql://... lockstep plan",
    "lockstep plan --json --fail-on destroys,rewrites",
    "lockstep plan --format markdown --output plan.md",
    "lockstep plan --format html --output plan.html",
    "lockstep plan --targets tenants.txt --fail-on destroys,rewrites",
  ],
  async run(invocation) {
    const { settings, output, project } = invocation
    checkFormats(settings)
    const where = await project("migrations")
    const shadow = settings.shadowUrl ?? shadowUrlOf(where)
    const scratch = settings.estimate
      ? "none"
      : {
          shadowUrl: shadow ? parseDatabaseUrl(shadow) : undefined,
          initShadowDb: where.initShadowDb,
          root: where.root,
        }
    if (isFleet(settings)) {
      const { runFleetPlan } = await import("./fleet/plan.js")
      return await runFleetPlan(invocation, { where, scratch, failOn: settings.failOn })
    }
    const target = await findTarget(where)
    announce(target, output)
    const folder = readMigrations(where, settings)
    const { planMigrations } = await import("../plan/plan.js")
    const keeps = settings.format.includes("html") ? "catalogs" : undefined
    const plan = await planMigrations({ url: target.url, folder, scratch, external: where.external, keeps })
    for (const remark of folder.remarks) output.say(`  note  ${inLine(remark)}`)
    for (const name of plan.adopts)
      output.say(`  note  ${inLine(name)} is squashed: a deploy rewrites the history for it, and runs nothing of it`)
    const refused = hazardsIn(plan, settings.failOn)
    const answer = {
      command: "plan",
      text: ({ columns }: Style) => renderPlan(plan, refused, columns),
      object: planObject(plan, refused),
      report: async () => (await import("../report/formats/plan-report.js")).planReport(plan, refused),
      picture: async () => (await import("../report/html/pictures/plan.js")).planPicture(plan),
    }
    await give(answer, settings, output)
    return canBeApplied(plan) && refused.length === 0 ? 0 : 1
  },
})
