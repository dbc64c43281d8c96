import type { OnFleetWork } from "../../cli/fleet/work.js"
import type { Output } from "../../cli/output.js"
import { someOf } from "../../fleet/outcome.js"
import type { FleetTarget } from "../../fleet/target.js"
import { inLine } from "../../printable.js"
import { duration } from "../deploy.js"
import { counted, thousands } from "./deploy.js"
import { resultOf } from "./results.js"
import type { FleetWords } from "./words.js"

/** Reports the work on a fleet as it happens. */
interface FleetReporter<E> {
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

/** What is at work on one target. */
interface Running {
  readonly name: string
  readonly since: number
  doing: string
}

/** How far a fleet is, for who watches a terminal. Times are milliseconds of one clock. */
export class FleetProgress {
  readonly #running = new Map<string, Running>()
  #wave = ""
  #since = 0
  #of = 0
  #done = 0
  #failed = 0

  beginWave(wave: { readonly index: number; readonly of: number; readonly targets: number }, now: number): void {
    this.#wave = wave.of > 1 ? `wave ${wave.index} of ${wave.of}: ` : ""
    this.#since = now
    this.#of = wave.targets
    this.#done = 0
    this.#failed = 0
  }

  start({ key, name }: FleetTarget, now: number): void {
    this.#running.set(key, { name, since: now, doing: "connecting" })
  }

  works({ key }: FleetTarget, doing: string | undefined): void {
    const running = this.#running.get(key)
    if (running !== undefined && doing !== undefined) running.doing = doing
  }

  end({ key }: FleetTarget, how: "done" | "failed"): void {
    this.#running.delete(key)
    if (how === "done") this.#done++
    else this.#failed++
  }

  /** The counts on one line, and the targets that take longest below it. */
  render(now: number, rows = 6): string {
    const waiting = this.#of - this.#done - this.#failed - this.#running.size
    const head = [
      `${this.#wave}${thousands(this.#done)} of ${thousands(this.#of)}`,
      `running ${this.#running.size}`,
      `failed ${thousands(this.#failed)}`,
      `waiting ${thousands(waiting)}`,
      this.#timeLeft(now),
    ]
    const slowest = [...this.#running.values()].sort((one, other) => one.since - other.since).slice(0, rows)
    const widest = Math.max(0, ...slowest.map(({ name }) => name.length))
    const lines = slowest.map(
      ({ name, since, doing }) => `  ${name.padEnd(widest)}  ${duration(now - since).padStart(7)}  ${doing}`,
    )
    return [head.filter(Boolean).join("   "), ...lines].join("\n")
  }

  #timeLeft(now: number): string {
    const ended = this.#done + this.#failed
    const left = this.#of - ended
    if (ended < 3 || left <= 0) return ""
    const seconds = Math.max(1, Math.ceil((((now - this.#since) / ended) * left) / 1000))
    return `about ${seconds < 60 ? `${seconds} s` : duration(seconds * 1000)} left`
  }
}
