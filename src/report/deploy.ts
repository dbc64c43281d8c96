import type { Output } from "../cli/output.js"
import { thisCaller, typedCommands } from "../cli/typed-commands.js"
import type { DeployResult } from "../deploy/context.js"
import type { DeployEvent, LockHolder } from "../deploy/events.js"
import { inLine } from "../printable.js"
import { bytesText } from "./amount.js"

/** Milliseconds as people read them: 18 ms, 1.4 s, 12 s, 2 min 5 s. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

/** Reports a deploy as it happens: narration on stderr, or with --json one object a line on stdout. */
export function deployReporter(output: Output): (event: DeployEvent) => void {
  const narrate = deployNarrator(output)
  return (event) => {
    const named = event.event === "note" ? { ...event, text: typedCommands(event.text, thisCaller) } : event
    output.object({ schema: "lockstep.deploy/1", at: new Date().toISOString(), ...named })
    narrate(event)
  }
}

type Narration = Pick<Output, "say" | "live" | "paint">

/** The narration alone, for commands that deploy, or wait for a deploy, on their way to an answer of their own. */
export function deployNarrator({ say, live, paint }: Narration): (event: DeployEvent) => void {
  let widest = 0
  return (event) => {
    if (event.event === "planned") widest = Math.max(0, ...event.pending.map((name) => name.length))
    if (event.event === "progress") {
      const percent = event.percent === undefined ? "" : ` ${event.percent} %`
      return live(`  ..  ${event.name.padEnd(widest)}  ${duration(event.elapsedMs)}  ${event.doing}${percent}`)
    }
    const line = lineOf(event, widest, paint)
    if (line !== undefined) say(line)
  }
}

function lineOf(event: DeployEvent, widest: number, paint: Output["paint"]): string | undefined {
  switch (event.event) {
    case "began":
      return `lockstep ${event.version}, history ${event.history.slice(0, 12)} of ${counted(event.migrations, "migration")} -> ${inLine(address(event))}`
    case "planned":
      return event.pending.length > 0
        ? `${counted(event.total, "migration")}, ${event.pending.length} to apply`
        : undefined
    case "note":
      return `  ${paint.yellow("note")}  ${inLine(event.text)}`
    case "waiting-for-database":
      return `waiting for the database (${duration(event.waitedMs)}): ${inLine(event.reason)}`
    case "database-created":
      return `created the database "${inLine(event.database)}"`
    case "waiting-for-lock":
      return `waiting for the migration lock${event.holder ? `: ${holder(event.holder)}` : ""}`
    case "waiting-for-history": {
      const held = event.holders.length > 0 ? `; held by ${event.holders.join("; ")}` : ""
      return inLine(`waiting for a lock on the history (${duration(event.waitedMs)})${held}`)
    }
    case "retry":
      return `  retry ${event.attempt} of ${event.of} in ${duration(event.delayMs)}: ${inLine(event.reason)}`
    case "applied": {
      const apart = {
        transactional: "",
        "non-transactional": "   outside a transaction",
        "self-managed": "   its own transactions",
      }
      return `  ${paint.green("ok")}  ${inLine(event.name).padEnd(widest)}  ${duration(event.durationMs).padStart(7)}${apart[event.class]}`
    }
    case "backed-up":
      return `  ${paint.green("ok")}  backup  ${inLine(event.file)}  ${bytesText(event.bytes)}  ${duration(event.durationMs)}`
    case "adopted":
      return `  ${paint.green("ok")}  ${inLine(event.name)}   adopted: its row takes the place of ${counted(event.replaced, "replaced migration")}`
    case "schema-verified":
      return `Schema verified: it is what ${counted(event.migrations, "migration")} make on an empty database.`
    case "failed":
      return `${paint.red("FAIL")}  ${inLine(event.name)}\n`
    default:
      return undefined
  }
}

const address = ({ host, port, database }: { host: string; port: number; database: string }): string =>
  host.startsWith("/") ? `${host}/${database}` : `${host.includes(":") ? `[${host}]` : host}:${port}/${database}`

function holder({ applicationName, pid, address, forMs, query, percent }: LockHolder): string {
  const progress = percent === undefined ? "" : ` ${percent} %`
  return inLine(
    `held for ${duration(forMs)} by ${applicationName || "somebody"} (pid ${pid}, ${address}), running ${query}${progress}`,
  )
}

/** The last line: what the deploy did, and that it is verified. */
export function verdict(result: DeployResult): string {
  const { applied, adopted = [], appliedMeanwhile, total, ahead, recorded, edited } = result
  if (total === 0) return "Nothing to do: the folder holds no migrations."
  const checksums = edited > 0 ? `, ${edited} edited since` : applied.length > 0 ? ", checksums match" : ""
  const verified = `Verified: ${recorded} of ${total} recorded${checksums}.`
  const meanwhile =
    appliedMeanwhile > 0
      ? `${counted(appliedMeanwhile, "pending migration")} ${appliedMeanwhile === 1 ? "was" : "were"} applied meanwhile by another deployer. `
      : ""
  const squashed = adopted.length > 0 ? `${counted(adopted.length, "squashed migration")} adopted. ` : ""
  if (applied.length === 0 && squashed !== "") return `${meanwhile}${squashed}${verified}`
  if (applied.length === 0)
    return `${meanwhile}Nothing to do${ahead ? ": the database is ahead of this folder" : ""}. ${verified}`
  return `${meanwhile}${squashed}${applied.length} applied in ${duration(result.durationMs)}. ${verified}`
}
