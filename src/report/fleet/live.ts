import type { FleetTarget } from "../../fleet/target.js"
import { duration } from "../deploy.js"
import { thousands } from "./deploy.js"

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
