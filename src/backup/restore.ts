import { LockstepError } from "../errors.js"
import { readHistory } from "../history/recorded.js"
import type { Client } from "../postgres/connect.js"
import { quoteIdentifier, quoteLiteral } from "../postgres/quote.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { type HistoryState, stateOf } from "./archive.js"
import { call, callPiped, findProgram, type Program, serverVersion } from "./programs.js"

/** An archive to restore, over a connection that holds the migration lock. */
interface RestoreRequest {
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

/** Where a backup is restored: a whole database, or one of its schemas. */
type Place = { readonly scope: "database" } | { readonly scope: "schema"; readonly schema: string }

/** PostgreSQL's own schemas, and those that extensions have made. */
const ofPeople = `n.nspname NOT IN ('information_schema', 'pg_catalog', 'pg_toast') AND n.nspname !~ '^pg_(temp|toast_temp)_'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')`

/** What is in a schema: relations, functions, types of their own, and the rest that a name can have. No extension's. */
const objects = `SELECT c.oid, 'pg_class'::regclass AS class, c.relnamespace AS namespace, c.relname AS name,
    CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE'
      WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END AS kind, NULL AS arguments
    FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
  UNION ALL SELECT p.oid, 'pg_proc'::regclass, p.pronamespace, p.proname, 'ROUTINE', pg_get_function_identity_arguments(p.oid) FROM pg_proc p
  UNION ALL SELECT t.oid, 'pg_type'::regclass, t.typnamespace, t.typname, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, NULL
    FROM pg_type t WHERE t.typtype IN ('d', 'e', 'r')
  UNION ALL SELECT s.oid, 'pg_ts_config'::regclass, s.cfgnamespace, s.cfgname, 'TEXT SEARCH CONFIGURATION', NULL FROM pg_ts_config s
  UNION ALL SELECT l.oid, 'pg_collation'::regclass, l.collnamespace, l.collname, 'COLLATION', NULL FROM pg_collation l`

const ownObjects = `FROM (${objects}) AS o JOIN pg_namespace n ON n.oid = o.namespace
  WHERE ${ofPeople} AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype IN ('e', 'i'))`

const inPlace = (place: Place): string =>
  place.scope === "schema" ? `AND n.nspname = ${quoteLiteral(place.schema)}` : ""

/** What a place holds already, in words: "public.account, public.order and more". Undefined where it is empty. */
async function whatIsIn(client: Client, place: Place): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, o.name) AS name ${ownObjects} ${inPlace(place)} ORDER BY 1 LIMIT 4`,
  )
  if (rows.length === 0) return undefined
  const names = rows.slice(0, 3).map(({ name }) => name)
  return `${names.join(", ")}${rows.length > 3 ? " and more" : ""}`
}

/**
 * SQL that empties a place, as one statement. In `public` what extensions have made stays, because not every role may make
 * it again; a backup says CREATE EXTENSION IF NOT EXISTS. Large objects and publications belong to the database.
 */
function emptying(place: Place): string {
  const drops = `SELECT format('DROP %s IF EXISTS %I.%I%s CASCADE', o.kind, n.nspname, o.name, '(' || o.arguments || ')') AS drop
    ${ownObjects} AND n.nspname = 'public' ${inPlace(place)}`
  const schemas = `SELECT format('DROP SCHEMA IF EXISTS %I CASCADE', n.nspname) AS drop FROM pg_namespace n
    WHERE ${ofPeople} AND n.nspname <> 'public' ${inPlace(place)}`
  const ofDatabase = `UNION ALL SELECT format('DROP PUBLICATION IF EXISTS %I', pubname) FROM pg_publication
    UNION ALL SELECT format('SELECT pg_catalog.lo_unlink(%s)', oid) FROM pg_largeobject_metadata`
  return `DO $lockstep$ DECLARE one text; BEGIN
    FOR one IN ${drops} UNION ALL ${schemas} ${place.scope === "database" ? ofDatabase : ""} LOOP
      EXECUTE one;
    END LOOP;
  END $lockstep$`
}

/**
 * SQL that removes an empty schema: an archive of one schema begins with CREATE SCHEMA. That of a whole database has no
 * line for `public`, and nothing is removed.
 */
const removingEmptySchema = (place: Place): string =>
  place.scope === "schema" ? `DROP SCHEMA IF EXISTS ${quoteIdentifier(place.schema)}` : ""
