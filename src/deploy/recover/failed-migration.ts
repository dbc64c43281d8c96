import { type ErrorDetails, LockstepError } from "../../errors.js"
import type { StateOf } from "../../history/compare.js"
import type { Client } from "../../postgres/connect.js"
import { parseScript } from "../../sql/parse.js"
import { type FoundTrace, findTraces, tracesOf, traceText } from "./catalog-check.js"
import { type Reached, readLog } from "./row-log.js"

interface Blocked {
  readonly failed: StateOf<"failed">
  /** How many more failed migrations the history holds. */
  readonly others: number
}

/** L1104: what is known of a failed migration that stands in the way, and the commands to choose from. */
export async function blockedBy(client: Client, { failed, others }: Blocked): Promise<LockstepError> {
  const { name, row } = failed
  const reached = readLog(row.logs)
  const details =
    reached === undefined ? describe(failed, await diagnose(client, failed)) : stoppedPartWay(failed, reached)
  const more =
    others > 0 ? ` ${others} more failed ${others > 1 ? "migrations stand" : "migration stands"} in the history.` : ""
  return new LockstepError(
    "L1104",
    `the migration ${name} failed at ${row.startedAt} and nothing has settled it since (Prisma's P3009)`,
    { ...details, state: `${details.state} Later migrations are not applied.${more}` },
  )
}

async function diagnose(client: Client, { migration }: StateOf<"failed">): Promise<readonly FoundTrace[]> {
  const script = migration && (await parseScript(migration.text))
  return script?.kind === "script" ? await findTraces(client, tracesOf(script.statements)) : []
}

const byHand = (name: string) => ({
  rolledBack: `lockstep resolve --rolled-back ${name}   when nothing of it is in the database (the next deploy runs it again)`,
  applied: `lockstep resolve --applied ${name}   when all of it is`,
})

/** Lockstep's own row: it says how far the migration is. */
function stoppedPartWay({ name, row, migration }: StateOf<"failed">, { steps, next }: Reached): ErrorDetails {
  const settle = byHand(name)
  const logs = row.logs?.trim().replace(/^/gm, "  ")
  const done =
    steps === 0
      ? "none of its statements is applied"
      : `its first ${steps} ${steps > 1 ? "statements are" : "statement is"} applied`
  const doubt =
    next === "refused"
      ? `${done}; the next one failed.`
      : `${done}; whether the next one is done is not known, because the deployer was stopped from outside.`
  const resume = `lockstep deploy --resume   when the cause is mended, to go on after the statements that are applied`
  return {
    hint: `The history says:\n${logs}`,
    state: doubt,
    next: [...(migration ? [resume] : []), settle.rolledBack, settle.applied].join("\n"),
  }
}

/** Somebody else's row, such as stock Prisma's: its logs, and what the catalog shows of it. */
export function describe({ name, row }: StateOf<"failed">, traces: readonly FoundTrace[]): ErrorDetails {
  const log = readPrismaLog(row.logs)
  const done = traces.filter((trace) => trace.done)
  const settle = byHand(name)
  const commands = [settle.rolledBack, settle.applied]
  const lines = (found: readonly FoundTrace[]) => found.map((trace) => `  line ${trace.line}: ${traceText(trace)}`)
  const undone = traces.filter((trace) => !trace.done)
  const parts = [
    log === undefined
      ? "Its row holds no error: the deployer was stopped from outside."
      : `It failed with: ${log.message}${log.code ? ` (PostgreSQL ${log.code})` : ""}`,
    ...(log?.position ? [log.position] : []),
    ...(done.length > 0 ? ["Applied, as the database shows:", ...lines(done)] : []),
    ...(undone.length > 0 ? ["Not applied:", ...lines(undone)] : []),
  ]
  return {
    sqlstate: log?.code,
    hint: parts.join("\n"),
    state: extent(done.length, traces.length),
    next: (traces.length > 0 && undone.length === 0 ? commands.reverse() : commands).join("\n"),
  }
}

function extent(done: number, of: number): string {
  if (of === 0) return "how much of it is applied, the database does not show."
  if (done === 0) return "nothing that it makes is in the database."
  return done === of
    ? "all that it makes is in the database."
    : `${done} of ${of} objects that it makes or drops are as it leaves them.`
}

/** What the logs of a failed history row say, as Prisma's schema engine writes them. */
export interface PrismaLog {
  readonly code: string | undefined
  readonly message: string
  /** The lines around the place, where PostgreSQL gave a position. */
  readonly position: string | undefined
}

const colours = /\u001B\[[0-9;]*m/g

/** Reads the logs that Prisma left; undefined where they are empty: the deployer was killed. */
export function readPrismaLog(logs: string | null): PrismaLog | undefined {
  const text = logs?.replaceAll(colours, "").trim()
  if (!text) return undefined
  const code = /^Database error code: (\S+)/m.exec(text)?.[1]
  const message = /^Database error:\s*\n(?:[A-Z]+: *)?(.+)/m.exec(text)?.[1] ?? text.split("\n", 1)[0] ?? ""
  const position = text.split(/^Position:\n/m)[1]?.split(/\n\s*\n/, 1)[0]
  return { code, message, position }
}
