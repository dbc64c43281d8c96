import { fleetDriftFinder } from "../../cli/fleet/drift.js"
import { openFleet } from "../../cli/fleet/open.js"
import type { targetOptions } from "../../cli/fleet/options.js"
import { readFleet } from "../../cli/fleet/status.js"
import type { Invocation } from "../../cli/options.js"
import type { allowEmpty, projectOptions } from "../../cli/shared-options.js"
import { interrupted } from "../../deploy/interrupt.js"
import { inLine } from "../../printable.js"
import { shadowUrlOf } from "../../project/database-url.js"
import { readMigrations } from "../../project/project.js"
import { asLockstepError } from "../../report/error.js"
import { thousands } from "../../report/fleet/deploy.js"
import { fleetStatusOf, fleetStatusReport, isFleetUpToDate, renderFleetStatus } from "../../report/fleet/status.js"
import { type formatOptions, give, type Style } from "../../report/formats/formats.js"

type Called = Invocation<typeof projectOptions & typeof targetOptions & typeof allowEmpty & typeof formatOptions>

/** `lockstep fleet status` and `lockstep status --targets`: where each database stands. Reads only. */
export async function runFleetStatus(
  { settings, output, signal, project }: Called,
  verify: "history" | "schema",
): Promise<0 | 1> {
  const where = await project(verify === "schema" ? "everything" : "migrations")
  const folder = readMigrations(where, settings)
  const fleet = await openFleet(settings, where, signal)
  const { targets, shard, limits } = fleet
  for (const remark of folder.remarks) output.say(`  note  ${inLine(remark)}`)
  let read = 0
  const result = await readFleet({
    ...{ targets, limits, folder, signal, asError: asLockstepError },
    findDrift: verify === "schema" ? fleetDriftFinder({ ...where, shadowUrl: shadowUrlOf(where) }) : undefined,
    onRead: () => output.live(`read ${thousands(++read)} of ${thousands(targets.length)}`),
  })
  if (signal.aborted) throw interrupted("nothing was touched.")
  const answer = fleetStatusOf(result, {
    history: folder.digest,
    migrations: folder.migrations.map(({ name }) => name),
    shard: shard === undefined ? null : `${shard.index}/${shard.count}`,
  })
  await give(
    {
      command: "status",
      text: ({ paint }: Style) => renderFleetStatus(answer, paint),
      object: answer,
      report: async () => fleetStatusReport(answer),
    },
    settings,
    output,
  )
  return isFleetUpToDate(answer) ? 0 : 1
}
