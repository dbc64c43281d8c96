import { LockstepError } from "../errors.js"
import { readHistory } from "../history/recorded.js"
import type { Client } from "../postgres/connect.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { type HistoryState, stateOf } from "./archive.js"
import { emptying, type Place, removingEmptySchema, whatIsIn } from "./contents.js"
import { call, callPiped, findProgram, type Program, serverVersion } from "./programs.js"

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
 * Restores an archive with pg_restore, in one transaction, which also empties the place where it is to be replaced: a
 * restore that fails leaves it as it was. What can be known to fail is found before anything is touched: the programs, the
 * archive, what is in the place, and whether that can be dropped.
 * Errors: L2040, L2041 no pg_restore for this server; L2043 pg_restore failed; L2045 the place is not empty; L2047 it is
 * no archive; L1001 interrupted.
 */
export async function restoreArchive(request: RestoreRequest): Promise<Restored> {
  const { client, url, place, existing } = request
  const program = await findProgram("pg_restore", await serverVersion(client))
  await requireArchive(request, program)
  const found = await whatIsIn(client, place)
  if (found !== undefined && existing === "refuse") throw notEmpty(url, place, found)
  const psql = await findProgram("psql", await serverVersion(client))
  const first = [found === undefined ? "" : emptying(place), removingEmptySchema(place)].filter((sql) => sql !== "")
  try {
    await client.query(["BEGIN", `SET LOCAL lock_timeout = ${lockTimeoutMs}`, ...first, "ROLLBACK"].join(";"))
  } catch (cause) {
    await client.query("ROLLBACK").catch(() => undefined)
    throw notEmptied(cause, nameOf(url, place))
  }
  const state = `nothing was restored; ${nameOf(url, place)} is as it was.`
  const opening = ["BEGIN", `SET lock_timeout = ${lockTimeoutMs}`, "SET client_min_messages = error", ...first]
  const ended = await callPiped([program, psql], `${opening.join(";\n")};\n`, {
    ...{ url, applicationName: "lockstep restore", signal: request.signal },
    args: [
      // The script's own BEGIN finds a transaction, and its COMMIT, the last line, ends that.
      ...["--single-transaction", "--exit-on-error", "--file=-"],
      ...(request.owners === "none" ? ["--no-owner", "--no-acl"] : []),
      request.archive,
    ],
  })
  if (ended.state === "interrupted") throw new LockstepError("L1001", "interrupted", { state })
  if (ended.state === "failed") {
    throw new LockstepError("L2043", "the backup cannot be restored", {
      hint: ended.reason,
      state,
      next: lacksObject(ended.sqlstate)
        ? "where it is a role that the server lacks, restore without the backup's owners and grants: --no-owner"
        : "see what pg_restore and psql report, then run the same command again",
    })
  }
  return { replaced: found !== undefined, history: stateOf((await readHistory(client, url.schema)) ?? []) }
}

/** undefined_object: a role, mostly, because everything else that is needed is in the backup. */
const lacksObject = (sqlstate: string | undefined): boolean => sqlstate === "42704"

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
