import type { BackfillEvent } from "../../backfill/events.js"
import type { DeployEvent } from "../../deploy/events.js"
import { doingOf as backfilling } from "../backfill/run.js"
import { duration } from "../deploy.js"

/** How what a command does to a target is said. `E`: what it reports. */
export interface FleetWords<E> {
  readonly command: "deploy" | "backfill"
  /** What is done to the target now; undefined where nothing has changed. */
  readonly doing: (event: E) => string | undefined
  /** What a log without a terminal shows of a target that is not done at once. */
  readonly line: (event: E) => string | undefined
  /** What is worth a word at the end, once for all targets. */
  readonly note: (event: E) => string | undefined
  /** "3 applied". */
  readonly changed: (count: number) => string
}

export const deployWords: FleetWords<DeployEvent> = {
  command: "deploy",
  doing: deploying,
  line: (event) => {
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
  },
  note: (event) =>
    event.event === "note" ? event.text : event.event === "database-created" ? "the database was created" : undefined,
  changed: (count) => `${count} applied`,
}

function deploying(event: DeployEvent): string | undefined {
  switch (event.event) {
    case "waiting-for-database":
      return "waiting for the database"
    case "waiting-for-lock":
      return "waiting for the migration lock"
    case "waiting-for-history":
      return "waiting for a lock on the history"
    case "started":
      return event.name
    case "applied":
      return `applied ${event.name}`
    case "retry":
      return `retry ${event.attempt} of ${event.of}: ${event.reason}`
    case "planned": {
      // Small migrations go in one message; which of them runs is not known.
      const [first, ...more] = event.pending
      if (first === undefined) return "verifying"
      return more.length === 0 ? first : `${first} and ${more.length} more`
    }
    default:
      return undefined
  }
}

export const backfillWords: FleetWords<BackfillEvent> = {
  command: "backfill",
  doing: backfilling,
  // Progress of a thousand databases would hide all else.
  line: (event) => (event.event === "progress" || event.event === "started" ? undefined : backfilling(event)),
  note: (event) => (event.event === "note" ? event.text : undefined),
  changed: (count) => `${count} finished`,
}
