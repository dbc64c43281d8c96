import type { OnFleetWork } from "../../cli/fleet/work.js"
import type { Output } from "../../cli/output.js"
import { someOf } from "../../fleet/outcome.js"
import type { FleetTarget } from "../../fleet/target.js"
import { inLine } from "../../printable.js"
import { duration } from "../deploy.js"
import { counted } from "./deploy.js"
import { FleetProgress } from "./live.js"
import { resultOf } from "./results.js"
import type { FleetWords } from "./words.js"

/** Reports the work on a fleet as it happens. */
export interface FleetReporter<E> {
  readonly onEvent: OnFleetWork<E>
  /** Ends the live table, and prints what targets had to note, each once. */
  readonly end: () => void
}

const everyMs = 120

/** On a terminal a live table and the failures; elsewhere a line a target; with --json an object a line. */
export function fleetReporter<E>(output: Output, words: FleetWords<E>): FleetReporter<E> {
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
  const onWork = (target: FleetTarget, event: E) => {
    asObject({ event: words.command, target: target.name, [words.command]: event })
    progress.works(target, words.doing(event))
    const note = words.note(event)
    if (note !== undefined) notes.set(note, [...(notes.get(note) ?? []), target.name])
    const line = terminal ? undefined : words.line(event)
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
        case "work":
          return onWork(event.target, event.work)
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
            const what = applied.length === 0 ? "nothing to do" : words.changed(applied.length)
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
