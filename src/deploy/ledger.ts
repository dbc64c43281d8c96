import { randomUUID } from "node:crypto"
import type { RecordedRow } from "../history/recorded.js"
import type { ConnectionLost } from "./failure.js"
import type { Prepared } from "./prepare.js"
import type { DeployRequest } from "./request.js"

/** What one deploy has sent and done so far; it outlives a lost connection. */
export interface Ledger {
  /** Names, in the order in which they were applied. */
  readonly applied: string[]
  /** What was begun, by the id of its history row: by that a deploy knows its own rows again. */
  readonly begun: Map<string, Prepared>
  /** What was sent and not answered yet, in order. */
  readonly sent: Set<Prepared>
  /** What had been sent when the connection was lost; empty as soon as the history says what became of it. */
  unknown: readonly Prepared[]
  /** Grows with every migration and every statement that is known to be done. */
  moves: number
  /** How often the connection was lost. */
  losses: number
  /** The loss after which nothing is tried again. */
  end: ConnectionLost | undefined
  /** Whether what is going to be done has been told. */
  told: boolean
}

export const newLedger = (): Ledger => ({
  applied: [],
  begun: new Map(),
  sent: new Set(),
  unknown: [],
  moves: 0,
  losses: 0,
  end: undefined,
  told: false,
})

/** The id for the history row of a migration that is about to be sent. */
export function begin(ledger: Ledger, prepared: Prepared): string {
  const id = randomUUID()
  ledger.begun.set(id, prepared)
  ledger.sent.add(prepared)
  return id
}

/** Notes that a migration is applied, and tells so. */
export function finish(ledger: Ledger, prepared: Prepared, durationMs: number, { onEvent }: DeployRequest): void {
  const { name } = prepared.migration
  ledger.applied.push(name)
  ledger.sent.delete(prepared)
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
  ledger.sent.clear()
  ledger.unknown = []
}

/** What a deploy has done so far, for the state of an error; undefined where it has done nothing. */
export function soFar({ applied, unknown }: Ledger): string | undefined {
  const parts = []
  const count = applied.length === 1 ? "1 migration was" : `${applied.length} migrations were`
  if (applied.length > 0) parts.push(`${count} applied by this deploy, the last one is ${applied.at(-1)}.`)
  const [first, ...more] = unknown.map(({ migration }) => migration.name)
  const names = more.length === 0 ? `${first} was` : `${first} and the next ${more.length} were`
  if (first !== undefined)
    parts.push(`Whether ${names} applied is not known: the connection was lost before the answer.`)
  return parts.join(" ") || undefined
}
