import type { BackfillFile } from "../../backfill/file.js"
import type { backfillOptions } from "../../cli/backfill.js"
import { backfillFleet } from "../../cli/fleet/backfill.js"
import type { fleetDeployOptions } from "../../cli/fleet/options.js"
import type { Invocation } from "../../cli/options.js"
import { digestOf, readFolder } from "../../history/folder.js"
import type { Project } from "../../project/project.js"
import { backfillWords } from "../../report/fleet/words.js"
import type { formatOptions } from "../../report/formats/formats.js"
import { runOnFleet } from "./run.js"

type Called = Invocation<typeof backfillOptions & typeof fleetDeployOptions & typeof formatOptions>

/** What the command has found out before. */
interface Chosen {
  readonly where: Project
  readonly backfills: readonly BackfillFile[]
}

/** `lockstep backfill --targets`: backfills in many databases. */
export async function runFleetBackfill(invocation: Called, { where, backfills }: Chosen): Promise<0 | 1> {
  const { settings } = invocation
  return await runOnFleet(invocation, {
    ...{ where, words: backfillWords, digest: digestOf(backfills), remarks: [] },
    names: backfills.map(({ name }) => name),
    what: { whole: "backfills", one: "backfill" },
    work: (request) =>
      backfillFleet({
        ...{ ...request, settings, backfills, folder: readFolder(where.migrationsDir) },
        applicationName: "lockstep backfill",
      }),
  })
}
