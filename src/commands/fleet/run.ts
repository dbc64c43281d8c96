import { relative, resolve } from "node:path"
import { type OpenedFleet, openFleet } from "../../cli/fleet/open.js"
import type { fleetDeployOptions } from "../../cli/fleet/options.js"
import type { FleetWorkRequest, FleetWorkResult } from "../../cli/fleet/work.js"
import type { Invocation, Settings } from "../../cli/options.js"
import type { Output } from "../../cli/output.js"
import { askYesOrNo } from "../../cli/prompts.js"
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
import { inLine } from "../../printable.js"
import type { Project } from "../../project/project.js"
import { asLockstepError } from "../../report/error.js"
import { counted, fleetReport, renderFleet, thousands } from "../../report/fleet/deploy.js"
import { fleetReporter } from "../../report/fleet/reporter.js"
import { isComplete, resultOf, summaryOf } from "../../report/fleet/results.js"
import type { FleetWords } from "../../report/fleet/words.js"
import { type formatOptions, give, type Style } from "../../report/formats/formats.js"
import { version } from "../../version.js"

type FleetOptions = typeof fleetDeployOptions & typeof formatOptions
type Called = Pick<Invocation<FleetOptions>, "output" | "signal"> & { readonly settings: Settings<FleetOptions> }

/** What a command does to a fleet. `E`: what the work on a target reports. */
export interface FleetCommand<E> {
  readonly where: Project
  readonly words: FleetWords<E>
  /** What is done, in one number: only with the same is a target of an earlier run still done. */
  readonly digest: string
  /** The names of what is done, and what they are: "history … of 12 migrations". */
  readonly names: readonly string[]
  readonly what: { readonly whole: string; readonly one: string }
  readonly remarks: readonly string[]
  readonly work: (request: FleetWorkRequest<E>) => Promise<FleetWorkResult>
}

/**
 * A command with --targets. Everything that can be wrong about the list and the options is refused before the first is
 * touched. Resolves to the exit code. Errors: L2001 to L2005.
 */
export async function runOnFleet<E>({ settings, output, signal }: Called, command: FleetCommand<E>): Promise<0 | 1> {
  const canary = parseCanary(settings.canary)
  const { where, words, digest, names } = command
  const fleet = await openFleet(settings, where, signal)
  const waves = wavesOf(fleet.targets, canary)
  const maxFailures = failureBudget(settings.maxFailures, fleet.targets.length)
  const run = openRun(settings, command, fleet)
  begin({ fleet, command, run }, output)
  const reporter = fleetReporter(output, words)
  const confirmWave = async (next: number) =>
    settings.yes || (await askYesOrNo(`Begin wave ${next} of ${waves.length}?`))
  const result = await command
    .work({
      ...{ waves, limits: fleet.limits, maxFailures, confirmWave, signal },
      ...{ earlier: run.earlier, runFile: run.file, asError: asLockstepError, onEvent: reporter.onEvent },
    })
    .finally(reporter.end)
  const { stop, durationMs } = result
  const results = result.outcomes.map((outcome) => resultOf(outcome, result.progressOf(outcome.target)))
  const summary = summaryOf(results, {
    ...{ command: words.command, history: digest, migrations: names.length, shard: shardText(fleet), durationMs },
    stop: stop?.why,
    runFile: run.file === undefined ? null : relative(process.cwd(), run.file.path),
  })
  const answer = {
    command: words.command,
    text: ({ paint }: Style) => renderFleet(summary, paint),
    object: summary,
    report: async () => fleetReport(summary, names),
  }
  if (settings.terminationLog !== undefined) {
    const { writeTerminationMessage } = await import("../../report/fleet/deploy.js")
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

/** Errors: L2005 the run to resume cannot be read, the file that is named cannot be written. */
function openRun(
  { resumeRun, runFile }: Called["settings"],
  { where, digest, words }: Pick<FleetCommand<never>, "where" | "digest" | "words">,
  fleet: OpenedFleet,
): OpenedRun {
  const runs = { root: where.root, command: words.command }
  const resumed = resumeRun === "last" ? lastRunFile(runs) : resumeRun && resolve(resumeRun)
  const earlier = resumed === undefined ? undefined : readRun(resumed, digest, fleet.targets)
  const now = new Date()
  const named = runFile === undefined ? resumed : resolve(runFile)
  const beginning = { history: digest, targets: fleet.targets.length }
  if (named !== undefined) return { earlier, file: openRunFile({ ...beginning, path: named }, now) }
  // In a container of the Dagger module the file would be gone with the container.
  if (fleet.targets.length === 0 || process.env.LOCKSTEP_CALLED_BY) return { earlier, file: undefined }
  try {
    const file = openRunFile({ ...beginning, path: newRunFile(runs, now) }, now)
    removeOldRuns(where.root)
    return { earlier, file }
  } catch {
    // In a container with a read-only file system a run of the whole list finds what is done.
    return { earlier, file: undefined }
  }
}

const shardText = ({ shard }: OpenedFleet): string | null =>
  shard === undefined ? null : `${shard.index}/${shard.count}`

interface Begun {
  readonly fleet: OpenedFleet
  readonly command: Pick<FleetCommand<never>, "words" | "digest" | "names" | "what" | "remarks">
  readonly run: OpenedRun
}

/** The log begins with what is done where. */
function begin({ fleet, command, run }: Begun, output: Output): void {
  const { words, digest, names, what, remarks } = command
  const { targets, listed, limits } = fleet
  const shard = shardText(fleet)
  const share = shard === null ? "" : `, share ${shard} of ${thousands(listed)}`
  output.say(
    `lockstep ${version}, ${what.whole} ${digest.slice(0, 12)} of ${counted(names.length, what.one)} -> ${counted(targets.length, "target")}${share}, ${limits.concurrency} at once`,
  )
  for (const remark of remarks) output.say(`  note  ${inLine(remark)}`)
  if (run.earlier?.isOutdated)
    output.say(`  note  the run to resume was of other ${what.one}s: every target is asked again`)
  else if (run.earlier !== undefined)
    output.say(
      `resuming: ${thousands(run.earlier.done.size)} of ${thousands(targets.length)} ${run.earlier.done.size === 1 ? "is done and is" : "are done and are"} not asked again`,
    )
  output.object({
    ...{ schema: "lockstep.fleet/1", at: new Date().toISOString(), event: "began", command: words.command, version },
    ...{ history: digest, migrations: names.length, names, shard, targets: targets.map(({ name }) => name) },
    runFile: run.file === undefined ? null : relative(process.cwd(), run.file.path),
  })
}
