import { writeFileSync } from "node:fs"
import { createColors } from "picocolors"
import { forPeople } from "../../cli/output.js"
import { fleetVerdict, renderFleet } from "./deploy.js"
import type { FleetSummary } from "./json.js"

/** What Kubernetes keeps of a container's message. Source: its documentation, "Determine the Reason for Pod Failure". */
const mostBytes = 4096
const cut = "\n(cut)"

/** How a fleet's deploy ended, in at most 4096 bytes: the share and the verdict first, then the failures by reason. */
export function terminationMessage(summary: FleetSummary): string {
  const verdict = fleetVerdict(summary)
  const failures = renderFleet(summary, createColors(false)).slice(0, -verdict.length).trimEnd()
  const share = summary.shard === null ? "" : `share ${summary.shard}: `
  const whole = Buffer.from(forPeople(`${share}${verdict}${failures === "" ? "" : `\n${failures}`}`))
  if (whole.length <= mostBytes) return whole.toString()
  // A character that the cut has divided is left out.
  return `${new TextDecoder().decode(whole.subarray(0, mostBytes - cut.length), { stream: true })}${cut}`
}

/** Writes it to where Kubernetes looks for it. What cannot be written is said to `complain`: the deploy is done. */
export function writeTerminationMessage(file: string, summary: FleetSummary, complain: (text: string) => void): void {
  try {
    writeFileSync(file, terminationMessage(summary))
  } catch (error) {
    complain(`the termination message cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}
