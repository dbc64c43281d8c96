import type { LockHolder } from "../deploy/events.js"
import { LockstepError } from "../errors.js"
import { isApplied, readHistory } from "../history/recorded.js"
import { replacedNames } from "../history/squash.js"
import type { BackfillContext } from "./context.js"
import { doneSoFar } from "./failure.js"
import type { Backfill } from "./file.js"
import { type Key, nameOfKey } from "./key.js"
import { type Recorded, recordEdit, restored } from "./progress.js"

/** Who has a lock, in words. */
export const inWords = ({ applicationName, pid, address }: LockHolder): string =>
  `${applicationName || "a session without a name"} (pid ${pid}, ${address})`

/** Errors: L2103 a migration that one of them comes after is not applied. */
export async function requireMigrations(
  { client, request }: BackfillContext,
  backfills: readonly Backfill[],
): Promise<void> {
  const waiting = backfills.filter(({ after }) => after !== undefined)
  if (waiting.length === 0) return
  const rows = (await readHistory(client, request.url.schema)) ?? []
  const applied = new Set(rows.filter(isApplied).map(({ name }) => name))
  for (const { name, squash } of request.folder.migrations)
    if (squash !== undefined && applied.has(name)) for (const one of replacedNames(squash.replaces)) applied.add(one)
  const early = waiting.find(({ after = "" }) => !applied.has(after))
  if (early === undefined) return
  const isKnown = request.folder.migrations.some(({ name }) => name === early.after)
  throw new LockstepError("L2103", `the backfill ${early.name} comes after ${early.after}, which is not applied`, {
    file: early.file,
    hint: isKnown ? undefined : "The migrations folder has no such migration.",
    state: "nothing was touched.",
    next: isKnown ? "`lockstep deploy`, then run the same command again" : "correct lockstep-after in the file",
  })
}

/** L2106: how long was waited, and for whom. */
export function timedOut(name: string, waitedMs: number, holder: LockHolder | undefined): LockstepError {
  const who = holder ? inWords(holder) : "another session"
  return new LockstepError("L2106", `the backfill ${name} is run by ${who}; waited ${Math.round(waitedMs / 1000)} s`, {
    state: "nothing was touched by this process.",
    next: holder
      ? `let it finish, or wait longer with --lock-wait; to end it: SELECT pg_terminate_backend(${holder.pid})`
      : "run the same command again",
  })
}

interface Found {
  readonly backfill: Backfill
  readonly found: Recorded
  readonly key: Key
}

/** Errors: L2105 the file, or the key, is another one than that with which the backfill began. */
export async function acceptEdit({ client, request }: BackfillContext, { backfill, found, key }: Found): Promise<void> {
  const { name, checksum, file } = backfill
  const { settings, url } = request
  const state = doneSoFar(found)
  if (found.key !== nameOfKey(key))
    throw new LockstepError(
      "L2105",
      `the backfill ${name} began by walking ${key.table} by ${found.key}, and its key now is ${nameOfKey(key)}`,
      {
        ...{ file, state },
        next: `where a second run does no harm: \`lockstep backfill ${name} --restart\``,
      },
    )
  if (found.checksum === checksum) return
  if (settings.resumeEdited) return await recordEdit(client, { schema: url.schema, name }, checksum)
  if (found.checksum === restored)
    throw new LockstepError("L2105", `the schema was restored since the backfill ${name} began`, {
      file,
      hint: `Its progress is not in the backup of one schema: ${state}`,
      state: "nothing was touched.",
      next: `where the restored rows have what it did: \`lockstep backfill ${name} --resume-edited\`; where they do not: \`lockstep backfill ${name} --restart\``,
    })
  throw new LockstepError("L2105", `the file of the backfill ${name} was edited after it began`, {
    file,
    hint: `It began with checksum ${found.checksum.slice(0, 12)}, and now has ${checksum.slice(0, 12)}.`,
    state,
    next: `restore the file; or continue with the rest as it is now: \`lockstep backfill ${name} --resume-edited\`; or begin again, where a second run does no harm: \`lockstep backfill ${name} --restart\``,
  })
}
