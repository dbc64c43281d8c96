import { relative, resolve } from "node:path"
import { deployFleet } from "../../cli/fleet/deploy.js"
import { fleetDriftFinder } from "../../cli/fleet/drift.js"
import { type OpenedFleet, openFleet } from "../../cli/fleet/open.js"
import type { fleetDeployOptions } from "../../cli/fleet/options.js"
import type { Invocation, Settings } from "../../cli/options.js"
import type { Output } from "../../cli/output.js"
import { askYesOrNo } from "../../cli/prompts.js"
import type { deployOptions } from "../../cli/shared-options.js"
import {
  type EarlierRun,
  lastRunFile,
  newRunFile,
  openRunFile,
  type RunFile,
  readRun,
  removeOldRuns,
} from "../../fleet/run-file.js"
import { failureBudget, parseCanary, wavesOf } from "../../fleet/waves.js"
import type { Folder } from "../../history/folder.js"
import { inLine } from "../../printable.js"
import { shadowUrlOf } from "../../project/database-url.js"
import { type Project, readMigrations } from "../../project/project.js"
import { asLockstepError } from "../../report/error.js"
import { counted, fleetReport, renderFleet, thousands } from "../../report/fleet/deploy.js"
import { fleetReporter } from "../../report/fleet/reporter.js"
import { isComplete, resultOf, summaryOf } from "../../report/fleet/results.js"
import { type formatOptions, give, type Style } from "../../report/formats/formats.js"
import { version } from "../../version.js"

type FleetSettings = Settings<typeof deployOptions & typeof fleetDeployOptions & typeof formatOptions>
type Called = Invocation<typeof deployOptions & typeof fleetDeployOptions & typeof formatOptions>

/**
 * `lockstep deploy --targets`: the deploy of many databases. Everything that can be wrong about the list, the options and
 * the folder is refused before the first is touched.
 */
export async function runFleetDeploy({ settings, output, signal, project }: Called): Promise<0 | 1> {
  const canary = parseCanary(settings.canary)
  const where = await project(settings.verify === "schema" ? "everything" : "migrations")
  const folder = readMigrations(where, settings)
  const fleet = await openFleet(settings, where, signal)
  const waves = wavesOf(fleet.targets, canary)
  const maxFailures = failureBudget(settings.maxFailures, fleet.targets.length)
  const run = openRun(where, { settings, folder, fleet })
  begin({ fleet, folder, run }, output)
  const reporter = fleetReporter(output)
  const confirmWave = async (next: number) =>
    settings.yes || (await askYesOrNo(`Begin wave ${next} of ${waves.length}?`))
  const shadow = settings.verify === "schema" ? { ...where, shadowUrl: shadowUrlOf(where) } : where
  const result = await deployFleet({
    ...{ waves, limits: fleet.limits, maxFailures, confirmWave, signal, folder, settings },
    external: where.external,
    ...{ shadow, findDrift: fleetDriftFinder(shadow) },
    applicationName: "lockstep deploy",
    ...{ earlier: run.earlier, runFile: run.file, asError: asLockstepError, onEvent: reporter.onEvent },
  }).finally(reporter.end)
  const { stop, durationMs } = result
  const results = result.outcomes.map((outcome) => resultOf(outcome, result.progressOf(outcome.target)))
  const summary = summaryOf(results, {
    ...{ history: folder.digest, migrations: folder.migrations.length, shard: shardText(fleet), durationMs },
    stop: stop?.why,
    runFile: run.file === undefined ? null : relative(process.cwd(), run.file.path),
  })
  const migrations = folder.migrations.map(({ name }) => name)
  const answer = {
    command: "deploy",
    text: ({ paint }: Style) => renderFleet(summary, paint),
    object: summary,
    report: async () => fleetReport(summary, migrations),
  }
  if (settings.terminationLog !== undefined) {
    const { writeTerminationMessage } = await import("../../report/fleet/termination.js")
    writeTerminationMessage(settings.terminationLog, summary, (text) => output.say(`  note  ${text}`))
  }
  await give(answer, settings, output)
  // The end of a pod's log is its termination message, which JSON of a thousand results would fill.
  if (output.json && !isComplete(summary)) output.say(renderFleet(summary, output.paint))
  return isComplete(summary) ? 0 : 1
}

interface OpenedRun {
  readonly earlier: EarlierRun | undefined
  /** Undefined where the project's folder cannot be written, and no file is named. */
  readonly file: RunFile | undefined
}

interface Opening {
  readonly settings: FleetSettings
  readonly folder: Folder
  readonly fleet: OpenedFleet
}

/** Errors: L2005 the run to resume cannot be read, the file that is named cannot be written. */
function openRun(where: Project, { settings, folder, fleet }: Opening): OpenedRun {
  const { resumeRun, runFile } = settings
  const resumed = resumeRun === "last" ? lastRunFile(where.root) : resumeRun && resolve(resumeRun)
  const earlier = resumed === undefined ? undefined : readRun(resumed, folder.digest, fleet.targets)
  const now = new Date()
  const named = runFile === undefined ? resumed : resolve(runFile)
  const beginning = { history: folder.digest, targets: fleet.targets.length }
  if (named !== undefined) return { earlier, file: openRunFile({ ...beginning, path: named }, now) }
  // In a container of the Dagger module the file would be gone with the container.
  if (fleet.targets.length === 0 || process.env.LOCKSTEP_CALLED_BY) return { earlier, file: undefined }
  try {
    const file = openRunFile({ ...beginning, path: newRunFile(where.root, now) }, now)
    removeOldRuns(where.root)
    return { earlier, file }
  } catch {
    // In a container with a read-only file system a deploy of the whole list finds what is done.
    return { earlier, file: undefined }
  }
}

const shardText = ({ shard }: OpenedFleet): string | null =>
  shard === undefined ? null : `${shard.index}/${shard.count}`

interface Begun {
  readonly fleet: OpenedFleet
  readonly folder: Folder
  readonly run: OpenedRun
}

/** The log begins with what is deployed where. */
function begin({ fleet, folder, run }: Begun, output: Output): void {
  const { targets, listed, limits } = fleet
  const shard = shardText(fleet)
  const share = shard === null ? "" : `, share ${shard} of ${thousands(listed)}`
  output.say(
    `lockstep ${version}, history ${folder.digest.slice(0, 12)} of ${counted(folder.migrations.length, "migration")} -> ${counted(targets.length, "target")}${share}, ${limits.concurrency} at once`,
  )
  for (const remark of folder.remarks) output.say(`  note  ${inLine(remark)}`)
  if (run.earlier?.isOutdated)
    output.say("  note  the run to resume deployed other migrations: every target is asked again")
  else if (run.earlier !== undefined)
    output.say(
      `resuming: ${thousands(run.earlier.done.size)} of ${thousands(targets.length)} ${run.earlier.done.size === 1 ? "is done and is" : "are done and are"} not asked again`,
    )
  output.object({
    ...{ schema: "lockstep.fleet/1", at: new Date().toISOString(), event: "began", version },
    ...{
      history: folder.digest,
      migrations: folder.migrations.length,
      shard,
      targets: targets.map(({ name }) => name),
    },
    runFile: run.file === undefined ? null : relative(process.cwd(), run.file.path),
  })
}
