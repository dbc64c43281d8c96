import { randomUUID } from "node:crypto"
import type { RecordedRow } from "../history/recorded.js"
import type { Prepared } from "./prepare.js"
import type { DeployRequest } from "./request.js"

/** What one deploy has sent and done so far; it outlives a lost connection. */
export interface Ledger {
  /** Names, in the order in which they were applied. */
  readonly applied: string[]
  /** What was begun, by the id of its history row: by that a deploy knows its own rows again. */
  readonly begun: Map<string, Prepared>
  /** Grows with every migration and every statement that is known to be done. */
  moves: number
  /** How often the connection was lost. */
  losses: number
  /** Whether what is going to be done has been told. */
  told: boolean
}

export const newLedger = (): Ledger => ({ applied: [], begun: new Map(), moves: 0, losses: 0, told: false })

/** The id for the history row of a migration that is about to be sent. */
export function begin(ledger: Ledger, prepared: Prepared): string {
  const id = randomUUID()
  ledger.begun.set(id, prepared)
  return id
}

/** Notes that a migration is applied, and tells so. */
export function finish(ledger: Ledger, prepared: Prepared, durationMs: number, { onEvent }: DeployRequest): void {
  const { name } = prepared.migration
  ledger.applied.push(name)
  ledger.moves++
  onEvent({ event: "applied", name, class: prepared.class, durationMs })
}

/** After a message without an answer, or one that was refused in part: the history says which of ours are done. */
export function settle(ledger: Ledger, recorded: readonly RecordedRow[], request: DeployRequest): void {
  for (const { id, startedAt, finishedAt } of recorded) {
    const prepared = ledger.begun.get(id)
    if (prepared === undefined || finishedAt === null || ledger.applied.includes(prepared.migration.name)) continue
    finish(ledger, prepared, Date.parse(finishedAt) - Date.parse(startedAt), request)
  }
}
