import type { BackfillFile } from "../../backfill/file.js"
import type { backfillOptions } from "../../cli/backfill.js"
import { backfillFleet, dryRunFleet, surveyFleet } from "../../cli/fleet/backfill.js"
import { openFleet } from "../../cli/fleet/open.js"
import type { fleetDeployOptions } from "../../cli/fleet/options.js"
import type { Invocation } from "../../cli/options.js"
import { interrupted } from "../../deploy/interrupt.js"
import { digestOf, readFolder } from "../../history/folder.js"
import type { Project } from "../../project/project.js"
import { asLockstepError } from "../../report/error.js"
import * as text from "../../report/fleet/backfill.js"
import { thousands } from "../../report/fleet/deploy.js"
import { backfillWords } from "../../report/fleet/words.js"
import { type Answer, type formatOptions, give, type Style } from "../../report/formats/formats.js"
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

/** `lockstep backfill --list|--dry-run --targets`: where they stand, or what a run would do. Reads only. */
export async function readFleetBackfills(
  { settings, output, signal }: Called,
  { where, backfills, what }: Chosen & { readonly what: "list" | "dry run" },
): Promise<0 | 1> {
  const { targets, limits, shard } = await openFleet(settings, where, signal)
  let read = 0
  const onRead = () => output.live(`read ${thousands(++read)} of ${thousands(targets.length)}`)
  const reading = { targets, limits, signal, backfills, asError: asLockstepError, onRead }
  const facts = {
    ...{ history: digestOf(backfills), files: backfills },
    shard: shard === undefined ? null : `${shard.index}/${shard.count}`,
  }
  const answerOf = async (): Promise<{ answer: Omit<Answer, "command">; code: 0 | 1 }> => {
    if (what === "list") {
      const list = text.fleetBackfillListOf(await surveyFleet(reading), facts)
      const shown = ({ paint }: Style) => text.renderFleetBackfillList(list, paint)
      const report = async () => text.fleetBackfillListReport(list)
      return { answer: { text: shown, object: list, report }, code: text.isFleetFinished(list) ? 0 : 1 }
    }
    const plan = text.fleetBackfillPlanOf(await dryRunFleet({ ...reading, batch: settings.batch }), facts)
    const shown = ({ paint }: Style) => text.renderFleetBackfillPlan(plan, paint)
    const report = async () => text.fleetBackfillPlanReport(plan)
    return { answer: { text: shown, object: plan, report }, code: plan.failures.length === 0 ? 0 : 1 }
  }
  const { answer, code } = await answerOf()
  if (signal.aborted) throw interrupted("nothing was touched.")
  await give({ command: "backfill", ...answer }, settings, output)
  return code
}
