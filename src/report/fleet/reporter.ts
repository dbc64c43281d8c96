import type { DeployedTarget, FleetDeployEvent } from "../../cli/fleet/deploy.js"
import type { Output } from "../../cli/output.js"
import type { DeployEvent } from "../../deploy/events.js"
import { someOf } from "../../fleet/outcome.js"
import type { FleetTarget } from "../../fleet/target.js"
import { inLine } from "../../printable.js"
import { duration } from "../deploy.js"
import { counted } from "./deploy.js"
import { FleetProgress } from "./live.js"
import { resultOf } from "./results.js"

/** Reports a fleet's deploy as it happens. */
export interface FleetReporter {
  readonly onEvent: (event: FleetDeployEvent, progress: (target: FleetTarget) => DeployedTarget) => void
  /** Ends the live table, and prints what targets had to note, each once. */
  readonly end: () => void
}

const everyMs = 120

/** On a terminal a live table and the failures; elsewhere a line a target; with --json an object a line. */
export function fleetReporter(output: Output): FleetReporter {
  const { say, live, paint, terminal, json, object } = output
  const progress = new FleetProgress()
  const notes = new Map<string, string[]>()
  // Between two waves a question stands there.
  let isWaveRunning = false
  const draw = () => {
    if (isWaveRunning) live(progress.render(performance.now()))
  }
  const timer = terminal && !json ? setInterval(draw, everyMs).unref() : undefined
  const asObject = (value: object) => object({ schema: "lockstep.fleet/1", at: new Date().toISOString(), ...value })
  const onDeploy = (target: FleetTarget, event: DeployEvent) => {
    asObject({ event: "deploy", target: target.name, deploy: event })
    progress.deploys(target, event)
    const note =
      event.event === "note" ? event.text : event.event === "database-created" ? "the database was created" : ""
    if (note !== "") notes.set(note, [...(notes.get(note) ?? []), target.name])
    const line = terminal ? undefined : lineOf(event)
    if (line !== undefined) say(`  ..    ${inLine(target.name)}   ${inLine(line)}`)
  }
  return {
    onEvent: (event, progressOf) => {
      switch (event.event) {
        case "wave": {
          const { index, of, targets } = event
          isWaveRunning = true
          progress.beginWave({ index, of, targets: targets.length }, performance.now())
          asObject({ event: "wave", index, of, targets: targets.length })
          if (of > 1) say(`wave ${index} of ${of}: ${counted(targets.length, "target")}`)
          return
        }
        case "started":
          return progress.start(event.target, performance.now())
        case "deploy":
          return onDeploy(event.target, event.deploy)
        case "ended": {
          const { outcome } = event
          const { state, target } = outcome
          const result = resultOf(outcome, progressOf(target))
          asObject({ event: "target", ...result })
          progress.end(target, state === "done" ? "done" : "failed")
          const name = inLine(target.name)
          if (outcome.state === "failed") {
            const { code, message, details } = outcome.error
            const place = [details.file, details.line].filter((part) => part !== undefined).join(":")
            say(
              `${paint.red("FAIL")}    ${name}   error[${code}] ${inLine(message)}${place === "" ? "" : ` in ${inLine(place)}`}`,
            )
          } else if (outcome.state === "done" && !terminal) {
            const { applied } = outcome.result
            const what = applied.length === 0 ? "nothing to do" : `${applied.length} applied`
            say(`  ${paint.green("ok")}    ${name}   ${what}, ${duration(outcome.durationMs)}`)
          }
          return
        }
        case "wave-ended":
          isWaveRunning = false
          if (terminal && event.of > 1) say(`wave ${event.index} of ${event.of} ended`)
          return
      }
    },
    end: () => {
      clearInterval(timer)
      for (const [note, names] of notes) say(`  ${paint.yellow("note")}  ${inLine(note)}   (${someOf(names)})`)
    },
  }
}

/** What a log without a terminal shows of a target that is not done at once. */
function lineOf(event: DeployEvent): string | undefined {
  switch (event.event) {
    case "waiting-for-database":
      return `waiting for the database (${duration(event.waitedMs)}): ${event.reason}`
    case "waiting-for-lock":
      return `waiting for the migration lock${event.holder ? `, held by ${event.holder.applicationName} (pid ${event.holder.pid})` : ""}`
    case "retry":
      return `retry ${event.attempt} of ${event.of} in ${duration(event.delayMs)}: ${event.reason}`
    default:
      return undefined
  }
}
