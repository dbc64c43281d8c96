import { LockstepError } from "../errors.js"
import { readHistory } from "../history/recorded.js"
import type { Client } from "../postgres/connect.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { type HistoryState, stateOf } from "./archive.js"
import { emptyOut, type Place, removeEmptySchema, whatIsIn } from "./contents.js"
import { call, findProgram, type Program, serverVersion } from "./programs.js"

/** An archive to restore, over a connection that holds the migration lock. */
export interface RestoreRequest {
  readonly client: Client
  readonly url: DatabaseUrl
  readonly archive: string
  readonly place: Place
  /** What to do with what the place holds. */
  readonly existing: "refuse" | "replace"
  /** "none": objects belong to the role of the URL, and nothing is granted. */
  readonly owners: "as in the backup" | "none"
  readonly signal: AbortSignal
}

/** What was restored. */
export interface Restored {
  /** Whether the place held anything, which is gone. */
  readonly replaced: boolean
  /** The history as it is now. */
  readonly history: HistoryState
}

/**
 * Restores an archive with pg_restore, in one transaction. What can be known to fail is found before anything is touched:
 * the program, the archive, and what is in the place.
 * Errors: L2040, L2041 no pg_restore for this server; L2043 pg_restore failed; L2045 the place is not empty; L2047 it is
 * no archive; L1001 interrupted.
 */
export async function restoreArchive(request: RestoreRequest): Promise<Restored> {
  const { client, url, place, existing } = request
  const program = await findProgram("pg_restore", await serverVersion(client))
  await requireArchive(request, program)
  const found = await whatIsIn(client, place)
  if (found !== undefined && existing === "refuse") throw notEmpty(url, place, found)
  try {
    await client.query(`SET lock_timeout = ${lockTimeoutMs}`)
    if (found !== undefined) await emptyOut(client, place)
    await removeEmptySchema(client, place)
  } catch (cause) {
    throw notEmptied(cause, nameOf(url, place))
  }
  const state =
    found === undefined
      ? `nothing was restored; ${nameOf(url, place)} is as empty as it was.`
      : `${nameOf(url, place)} was emptied, and nothing was restored: it is empty.`
  const ended = await call(program, {
    ...{ url, applicationName: "lockstep restore", signal: request.signal },
    args: [
      ...["--no-password", "--single-transaction", "--exit-on-error", `--dbname=${asParameter(url.database)}`],
      ...(request.owners === "none" ? ["--no-owner", "--no-acl"] : []),
      request.archive,
    ],
  })
  if (ended.state === "interrupted") throw new LockstepError("L1001", "interrupted", { state })
  if (ended.state === "failed") {
    throw new LockstepError("L2043", "the backup cannot be restored: pg_restore failed", {
      hint: ended.reason,
      state,
      next: /role ".*" does not exist/.test(ended.reason)
        ? "restore without the backup's owners and grants: --no-owner"
        : "see what pg_restore reports, then run the same command again",
    })
  }
  return { replaced: found !== undefined, history: stateOf((await readHistory(client, url.schema)) ?? []) }
}

/** How long to wait for a session that uses a table which is to go. */
const lockTimeoutMs = 5000

function notEmptied(cause: unknown, place: string): unknown {
  const sqlstate = sqlstateOf(cause)
  if (sqlstate === "55P03") {
    return new LockstepError("L1014", `${place} cannot be emptied: another session uses what is in it`, {
      ...{ sqlstate, cause },
      state: "nothing was touched.",
      next: "stop the applications, or end their sessions, then run the same command again",
    })
  }
  if (sqlstate !== "42501") return cause
  return new LockstepError("L1220", `${place} cannot be emptied: the role of the URL does not own all of it`, {
    ...{ sqlstate, cause },
    hint: cause instanceof Error ? cause.message : undefined,
    state: "nothing was touched.",
    next: "restore as the owner, or into a new database",
  })
}

/** A name that pg_restore does not take for a connection string. */
const asParameter = (database: string): string => `dbname='${database.replace(/[\\']/g, "\\$&")}'`

const nameOf = ({ display }: DatabaseUrl, place: Place): string =>
  place.scope === "schema" ? `the schema ${place.schema} of ${display}` : display

async function requireArchive({ url, archive, signal }: RestoreRequest, program: Program): Promise<void> {
  const listed = await call(program, { url, applicationName: "lockstep restore", args: ["--list", archive], signal })
  if (listed.state === "done") return
  if (listed.state === "interrupted") throw new LockstepError("L1001", "interrupted", { state: "nothing was touched." })
  const isNewer = /unsupported version/.test(listed.reason)
  throw new LockstepError("L2047", `${archive} cannot be read by pg_restore ${program.version}`, {
    hint: listed.reason,
    state: "nothing was touched.",
    next: isNewer
      ? "install the client programs of the PostgreSQL that made the backup"
      : "name a file that `lockstep backup` or pg_dump --format=custom has written",
  })
}

const notEmpty = (url: DatabaseUrl, place: Place, found: string): LockstepError =>
  new LockstepError("L2045", `${nameOf(url, place)} is not empty: it holds ${found}`, {
    state: "nothing was touched.",
    next: "restore into a new database (name it in DATABASE_URL: it is created), or replace what is there: --replace",
  })
