import { readFile } from "node:fs/promises"
import type { Invocation, OptionTable } from "../../cli/options.js"
import { LockstepError } from "../../errors.js"
import { inLine } from "../../printable.js"
import { collect, type Log } from "../../report/fleet/collect.js"
import { fleetReport, renderFleet } from "../../report/fleet/deploy.js"
import { isComplete } from "../../report/fleet/results.js"
import { type formatOptions, give, type Style } from "../../report/formats/formats.js"

type Called = Pick<Invocation<typeof formatOptions & OptionTable>, "settings" | "output">

/** `lockstep fleet report FILE…`: the results of several processes as one. Errors: L2006, L1301 no file is named. */
export async function runFleetReport({ settings, output }: Called, files: readonly string[]): Promise<0 | 1> {
  if (files.length === 0) {
    throw new LockstepError("L1301", "lockstep fleet report takes the files that hold the results", {
      next: "`lockstep fleet --help`",
    })
  }
  const { summary, shards, missingShards } = collect(await Promise.all(files.map(read)))
  const lost = missingShards.length === 0 ? "" : `There are no results of the shares ${missingShards.join(", ")}.\n`
  await give(
    {
      command: "fleet",
      text: ({ paint }: Style) => `${lost}${renderFleet(summary, paint)}`,
      object: { ...summary, shards, missingShards, schema: "lockstep.fleet-report/1" },
      report: async () => fleetReport(summary, []),
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
