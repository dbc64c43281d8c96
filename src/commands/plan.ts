import { announce } from "../cli/database.js"
import { defineCommand } from "../cli/options.js"
import { allowEmpty, projectOptions } from "../cli/shared-options.js"
import { inLine } from "../printable.js"
import { findTarget } from "../project/database-url.js"
import { readMigrations } from "../project/project.js"
import { canBeApplied, hazardNames, hazardsIn, renderPlan } from "../report/plan.js"
import { planObject } from "../report/plan-json.js"

const failOn = {
  type: "list",
  value: "what",
  choices: hazardNames,
  description: "exit 1 where the plan has one of these, separated by commas",
} as const

/** `lockstep plan`: what a deploy would do, statement by statement. Reads only. */
export default defineCommand({
  description: [
    "Shows each pending migration, how it is applied, and for each statement the lock that it takes, on which table, how large that is, whether it reads or rewrites all of it, what data it destroys, and the safer way where there is one. Changes nothing.",
    "Row counts are PostgreSQL's estimates. The rules are measured: docs/lock-rules.md lists them.",
  ],
  options: { ...projectOptions, failOn, ...allowEmpty },
  exitCodes: {
    0: "a plan, also one that destroys data",
    1: "a deploy could not apply it (a failed migration, SQL that cannot be parsed, a database without a history that is not empty); it has what --fail-on names; or the database cannot be read",
  },
  examples: ["DATABASE_URL=postgresql://... lockstep plan", "lockstep plan --json --fail-on destroys,rewrites"],
  async run({ settings, output, project }) {
    const where = await project("migrations")
    const target = await findTarget(where)
    announce(target, output)
    const folder = readMigrations(where, settings)
    const { planMigrations } = await import("../plan/plan.js")
    const plan = await planMigrations({ url: target.url, folder, external: where.external })
    for (const remark of folder.remarks) output.say(`  note  ${inLine(remark)}`)
    const refused = hazardsIn(plan, settings.failOn)
    output.data(renderPlan(plan, refused, output.width))
    output.object(planObject(plan, refused))
    return canBeApplied(plan) && refused.length === 0 ? 0 : 1
  },
})
