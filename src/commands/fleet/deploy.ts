import { deployFleet } from "../../cli/fleet/deploy.js"
import { fleetDriftFinder } from "../../cli/fleet/drift.js"
import type { fleetDeployOptions } from "../../cli/fleet/options.js"
import type { Invocation } from "../../cli/options.js"
import type { deployOptions } from "../../cli/shared-options.js"
import { shadowUrlOf } from "../../project/database-url.js"
import { readMigrations } from "../../project/project.js"
import { deployWords } from "../../report/fleet/words.js"
import type { formatOptions } from "../../report/formats/formats.js"
import { runOnFleet } from "./run.js"

type Called = Invocation<typeof deployOptions & typeof fleetDeployOptions & typeof formatOptions>

/** `lockstep deploy --targets`: the deploy of many databases. */
export async function runFleetDeploy(invocation: Called): Promise<0 | 1> {
  const { settings, project } = invocation
  const where = await project(settings.verify === "schema" ? "everything" : "migrations")
  const folder = readMigrations(where, settings)
  const shadow = settings.verify === "schema" ? { ...where, shadowUrl: shadowUrlOf(where) } : where
  return await runOnFleet(invocation, {
    ...{ where, words: deployWords, digest: folder.digest, remarks: folder.remarks },
    names: folder.migrations.map(({ name }) => name),
    what: { whole: "history", one: "migration" },
    work: (request) =>
      deployFleet({
        ...{ ...request, folder, settings, external: where.external, shadow, findDrift: fleetDriftFinder(shadow) },
        applicationName: "lockstep deploy",
      }),
  })
}
