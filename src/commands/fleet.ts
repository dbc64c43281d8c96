import { readFile } from "node:fs/promises"
import { isFleet, targetOptions } from "../cli/fleet/options.js"
import { defineCommand, type Invocation, type OptionTable } from "../cli/options.js"
import { allowEmpty, projectOptions } from "../cli/shared-options.js"
import { LockstepError } from "../errors.js"
import { inLine } from "../printable.js"
import { collect, type Log } from "../report/fleet/collect.js"
import { fleetReport, missingShardsLine, renderFleet, withMissingShards } from "../report/fleet/deploy.js"
import { isComplete } from "../report/fleet/results.js"
import { checkFormats, formatOptions, give, type Style } from "../report/formats/formats.js"

/** `lockstep fleet status|report`: many databases at a glance. */
export default defineCommand({
  description: [
    "Shows how many databases of a list stand at which migration, and which are behind, have failed, were edited or have drifted; or puts the results of several processes together, such as the pods of an Indexed Job. Changes nothing. `lockstep deploy --targets` deploys to them.",
    "docs/fleet.md describes the list of targets.",
  ],
  operands: [
    {
      name: "action",
      required: true,
      choices: {
        status: "read where each database of --targets stands",
        report: "summarize what deploys with --targets and --json printed, from files, such as those of kubectl logs",
      },
    },
    { name: "files", required: false, amount: "several", description: "the files to report on" },
  ],
  options: {
    ...projectOptions,
    ...targetOptions,
    verify: {
      type: "choice",
      value: "what",
      choices: ["history", "schema"],
      default: "history",
      description: "what to compare: the history; or schema, which also replays the histories on scratch databases",
    },
    ...allowEmpty,
    ...formatOptions,
  },
  exitCodes: { 0: "every database is up to date", 1: "not every one" },
  examples: [
    "lockstep fleet status --targets tenants.txt",
    'lockstep fleet status --targets-query "SELECT name, url FROM tenants" --verify schema',
    "kubectl logs -l job-name=deploy --tail=-1 --prefix > pods.log; lockstep fleet report pods.log",
  ],
  async run(invocation) {
    const { settings, operands } = invocation
    const [action, ...files] = operands
    checkFormats(settings)
    if (action === "report") return await runFleetReport(invocation, files)
    if (files.length > 0) throw usage(`${files[0]}: lockstep fleet status takes no file but with --targets`)
    if (!isFleet(settings)) throw usage("no list of targets is given: --targets, --targets-command or --targets-query")
    return await (await import("./fleet/status.js")).runFleetStatus(invocation, settings.verify)
  },
})

const usage = (message: string): LockstepError =>
  new LockstepError("L1301", message, { next: "`lockstep fleet --help`" })

type Called = Pick<Invocation<typeof formatOptions & OptionTable>, "settings" | "output">

/** `lockstep fleet report FILE…`: the results of several processes as one. Errors: L2006, L1301 no file is named. */
async function runFleetReport({ settings, output }: Called, files: readonly string[]): Promise<0 | 1> {
  if (files.length === 0) {
    throw new LockstepError("L1301", "lockstep fleet report takes the files that hold the results", {
      next: "`lockstep fleet --help`",
    })
  }
  const { summary, names, shards, missingShards } = collect(await Promise.all(files.map(read)))
  const lost = missingShards.length === 0 ? "" : `\n${missingShardsLine(missingShards)}`
  await give(
    {
      command: "fleet",
      text: ({ paint }: Style) => `${renderFleet(summary, paint)}${lost}`,
      object: { ...summary, shards, missingShards, schema: "lockstep.fleet-report/1" },
      report: async () => withMissingShards(fleetReport(summary, names), missingShards),
    },
    settings,
    output,
  )
  return isComplete(summary) && missingShards.length === 0 ? 0 : 1
}

async function read(file: string): Promise<Log> {
  try {
    return { file: inLine(file), text: await readFile(file, "utf8") }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new LockstepError("L2006", `the results cannot be read: ${reason}`, { cause })
  }
}
