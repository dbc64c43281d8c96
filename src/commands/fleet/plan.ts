import { openFleet } from "../../cli/fleet/open.js"
import type { targetOptions } from "../../cli/fleet/options.js"
import { planFleet } from "../../cli/fleet/plan.js"
import type { Invocation } from "../../cli/options.js"
import type { allowEmpty, projectOptions } from "../../cli/shared-options.js"
import { interrupted } from "../../deploy/interrupt.js"
import type { PlanRequest } from "../../plan/plan.js"
import { inLine } from "../../printable.js"
import { type Project, readMigrations } from "../../project/project.js"
import { asLockstepError } from "../../report/error.js"
import { thousands } from "../../report/fleet/deploy.js"
import { FleetPlans } from "../../report/fleet/plan.js"
import { type formatOptions, give, type Style } from "../../report/formats/formats.js"
import type { HazardName } from "../../report/hazards.js"

type Called = Invocation<typeof projectOptions & typeof targetOptions & typeof allowEmpty & typeof formatOptions>

/** What the command has found out before. */
interface Planned {
  readonly where: Project
  readonly scratch: PlanRequest["scratch"]
  readonly failOn: readonly HazardName[]
}

/** `lockstep plan --targets`: what a deploy of the fleet would do. Reads only. */
export async function runFleetPlan(
  { settings, output, signal }: Called,
  { where, scratch, failOn }: Planned,
): Promise<0 | 1> {
  const folder = readMigrations(where, settings)
  const { targets, limits, shard } = await openFleet(settings, where, signal)
  for (const remark of folder.remarks) output.say(`  note  ${inLine(remark)}`)
  const names = folder.migrations.map(({ name }) => name)
  const plans = new FleetPlans(failOn)
  let read = 0
  const result = await planFleet({
    ...{ targets, limits, folder, scratch, external: where.external, signal, asError: asLockstepError },
    keep: (target, plan) => {
      plans.take(target, plan)
      output.live(`planned ${thousands(++read)} of ${thousands(targets.length)}`)
    },
  })
  if (signal.aborted) throw interrupted("nothing was touched.")
  const facts = { history: folder.digest, shard: shard === undefined ? null : `${shard.index}/${shard.count}` }
  const answer = plans.answer(result, facts)
  await give(
    {
      command: "plan",
      text: (style: Style) => plans.render(answer, style),
      object: answer,
      report: async () => plans.report(answer, names),
      picture: () => plans.picture(),
    },
    settings,
    output,
  )
  const { cannotBeApplied, refused, failures } = answer
  return cannotBeApplied.length + refused.length + failures.length === 0 ? 0 : 1
}
