import { type ErrorDetails, LockstepError } from "../../errors.js"
import type { StateOf } from "../../history/compare.js"
import type { Client } from "../../postgres/connect.js"
import { parseScript } from "../../sql/parse.js"
import { type CheckedChange, catalogChanges, changeText, checkCatalog } from "./catalog-check.js"
import { firstStatements, type Reached, readLog } from "./resume.js"

interface Blocked {
  readonly failed: StateOf<"failed">
  /** How many more failed migrations the history holds. */
  readonly others: number
}

/** L1104: what is known of a failed migration that stops the deploy, and the commands to choose from. */
export async function blockedBy(client: Client, { failed, others }: Blocked): Promise<LockstepError> {
  const { name, row } = failed
  const reached = readLog(row.logs)
  const details =
    reached === undefined ? describe(failed, await diagnose(client, failed)) : stoppedPartWay(failed, reached)
  const more = others > 0 ? ` The history has ${others} more failed ${others > 1 ? "migrations" : "migration"}.` : ""
  return new LockstepError(
    "L1104",
    `the migration ${name} failed at ${row.startedAt} and is not resolved (Prisma's P3009)`,
    { ...details, state: `${details.state} Later migrations are not applied.${more}` },
  )
}

async function diagnose(client: Client, { migration }: StateOf<"failed">): Promise<readonly CheckedChange[]> {
  const script = migration && (await parseScript(migration.text))
  return script?.kind === "script" ? await checkCatalog(client, catalogChanges(script.statements)) : []
}

const resolveCommands = (name: string) => ({
  rolledBack: `\`lockstep resolve --rolled-back ${name}\`   when nothing of it is in the database (the next deploy runs it again)`,
  applied: `\`lockstep resolve --applied ${name}\`   when all of it is`,
})

/** Lockstep's own row: it counts the statements that are applied. */
function stoppedPartWay({ name, row, migration }: StateOf<"failed">, { steps, next }: Reached): ErrorDetails {
  const resolve = resolveCommands(name)
  const logs = row.logs?.trim().replace(/^/gm, "  ")
  const done =
    steps === 0
      ? "none of its statements is applied"
      : `${firstStatements(steps)} of it ${steps === 1 ? "is" : "are"} applied`
  const state =
    next === "refused"
      ? `${done}; the next one failed.`
      : `${done}; whether the next one is applied is not known, because the deployer was killed or lost its connection.`
  const resume =
    "`lockstep deploy --resume`   when the cause is fixed, to continue after the statements that are applied"
  return {
    hint: `The history's row:\n${logs}`,
    state,
    next: [...(migration ? [resume] : []), resolve.rolledBack, resolve.applied].join("\n"),
  }
}

/** Another program's row, such as stock Prisma's: its logs, and what the catalog shows of it. */
export function describe({ name, row }: StateOf<"failed">, changes: readonly CheckedChange[]): ErrorDetails {
  const log = readPrismaLog(row.logs)
  const done = changes.filter((change) => change.done)
  const resolve = resolveCommands(name)
  const commands = [resolve.rolledBack, resolve.applied]
  const lines = (some: readonly CheckedChange[]) => some.map((change) => `  line ${change.line}: ${changeText(change)}`)
  const undone = changes.filter((change) => !change.done)
  const parts = [
    log === undefined
      ? "Its row has no error: the deployer was killed or lost its connection."
      : `It failed with: ${log.message}${log.code ? ` (PostgreSQL ${log.code})` : ""}`,
    ...(log?.position ? [log.position] : []),
    ...(done.length > 0 ? ["Applied, as the database shows:", ...lines(done)] : []),
    ...(undone.length > 0 ? ["Not applied:", ...lines(undone)] : []),
  ]
  return {
    sqlstate: log?.code,
    hint: parts.join("\n"),
    state: extent(done.length, changes.length),
    next: (changes.length > 0 && undone.length === 0 ? commands.reverse() : commands).join("\n"),
  }
}

function extent(done: number, of: number): string {
  if (of === 0) return "how much of it is applied cannot be read from the database."
  if (done === 0) return "none of its objects is in the database."
  return done === of
    ? "all of its objects are in the database."
    : `${done} of the ${of} objects that it creates or drops are as it leaves them.`
}

/** What the logs of a failed history row hold, as Prisma's schema engine writes them. */
interface PrismaLog {
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
