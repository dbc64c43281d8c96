import type { LockMode } from "../sql/rules.js"
import type { Waiting, Work } from "./planned.js"

/**
 * Who waits for a lock. Reading needs ACCESS SHARE and writing ROW EXCLUSIVE.
 * Source: PostgreSQL's documentation, table "Conflicting Lock Modes".
 */
export function waitsFor(lock: LockMode | "none" | "unknown"): Waiting {
  switch (lock) {
    case "unknown":
      return "unknown"
    case "ACCESS EXCLUSIVE":
      return "readers and writers"
    case "EXCLUSIVE":
    case "SHARE ROW EXCLUSIVE":
    case "SHARE":
      return "writers"
    default:
      return "nobody"
  }
}

/** Work of which nothing but this is known: something else may happen. */
export const unknownWork = (why: string): Work => ({
  ...{ rules: [], lock: "unknown", waits: "unknown", until: "end of migration", held: undefined },
  ...{ table: undefined, target: { state: "unnamed" }, rewrites: "depends", scans: "depends", writes: [] },
  ...{ costs: ["unknown"], destroys: [], fails: [], unknown: [why], safer: [] },
})
