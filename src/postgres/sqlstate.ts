import pg from "pg"
import type { ErrorCode } from "../errors.js"

/** Why a connection cannot be opened: our error's code and message, and what to do. */
export interface ConnectionProblem {
  readonly code: ErrorCode
  readonly message: string
  readonly next: string
}

/** What is known of an SQLSTATE. */
interface Sqlstate {
  /** Why it happens and what to do, where PostgreSQL's own hint does not say it. */
  readonly advice?: string
  /** What to do before the same SQL is run again, where not the SQL has to be changed. */
  readonly remedy?: string
  /** The same transaction may work next time. */
  readonly isRetryable?: true
  /** The server ends the session with it. */
  readonly endsSession?: true
  /** What it means while a connection is opened. */
  readonly connecting?: ConnectionProblem
}

/** Of an object that a migration creates. */
const alreadyExists = "was this change made by hand, or by `lockstep push`?"

const sqlstates: Readonly<Record<string, Sqlstate>> = {
  "0A000": {
    advice: "This server does not support it: an extension may not be installed, or the version may be too old.",
  },
  "22001": { advice: "A value is longer than its column allows." },
  "22P02": { advice: "A text is not a value of the required type." },
  "23502": { advice: "Rows exist that have no value there: fill them first, or give the column a default." },
  "23503": { advice: "Rows exist that refer to nothing: correct or delete them first." },
  "23505": { advice: "Rows exist that are equal in the columns that must be unique: merge or delete them first." },
  "23514": { advice: "Rows exist that break the check: correct them first." },
  "25001": { advice: "The statement cannot run inside a transaction; put it in a migration of its own." },
  "25P03": { endsSession: true },
  "25P04": { endsSession: true },
  "28000": {
    connecting: {
      code: "L1214",
      message: "the server refuses this role or host",
      next: "correct the role, or the server's pg_hba.conf",
    },
  },
  "28P01": {
    connecting: {
      code: "L1213",
      message: "the password is wrong",
      next: "correct the password of the URL, PGPASSWORD or .pgpass",
    },
  },
  "2BP01": { advice: "Other objects depend on it: drop or change those first, in the same migration." },
  "2D000": {
    advice:
      "A procedure or DO block may commit or roll back only where it is called outside of a transaction, a function, a block with EXCEPTION and a procedure with SET.",
  },
  "3D000": {
    connecting: { code: "L1215", message: "the database does not exist", next: "`lockstep deploy` creates it" },
  },
  "40001": { isRetryable: true, advice: "It conflicted with a concurrent transaction in every attempt." },
  "40P01": { isRetryable: true, advice: "It deadlocked with other sessions in every attempt." },
  "42501": {
    advice: "The role of the URL lacks a privilege: deploy as the owner of the tables, or grant it.",
    remedy: "grant the role of the URL what it lacks, or deploy as another role",
  },
  "42601": { advice: "PostgreSQL's grammar does not allow this." },
  "42701": { advice: `The column already exists: ${alreadyExists}` },
  "42710": { advice: `The object already exists: ${alreadyExists}` },
  "42P07": { advice: `The table or index already exists: ${alreadyExists}` },
  "53100": {
    advice: "The server's disk is full: free space before the next deploy.",
    remedy: "free space on the server's disk",
  },
  "53200": { advice: "The server ran out of memory.", remedy: "give the server more memory" },
  "53300": {
    connecting: {
      code: "L1216",
      message: "the server has no connection left",
      next: "close some, or raise max_connections",
    },
  },
  "54000": { advice: "A limit of PostgreSQL is exceeded." },
  "55006": { advice: "The object is in use by other sessions." },
  "55P03": {
    isRetryable: true,
    advice:
      "Other sessions held the lock in every attempt: deploy when they have ended, or raise --lock-timeout or --retries.",
  },
  "55P04": {
    advice: "A new enum value can be used only after the transaction that adds it: use it in the next migration.",
  },
  "57014": {
    advice:
      "It was cancelled: by statement_timeout (raise it for this role, or SET it in the migration), or by another session with pg_cancel_backend.",
    remedy: "raise statement_timeout where that cancelled it",
  },
  "57P01": {
    endsSession: true,
    connecting: { code: "L1217", message: "the server is shutting down", next: "try again in a moment" },
  },
  "57P02": { endsSession: true },
  "57P03": {
    endsSession: true,
    connecting: {
      code: "L1217",
      message: "the server is starting up, shutting down or recovering",
      next: "try again in a moment",
    },
  },
  "57P04": { endsSession: true },
  "57P05": { endsSession: true },
}

const known = (sqlstate: string | undefined): Sqlstate => sqlstates[sqlstate ?? ""] ?? {}

/** The SQLSTATE of an error that PostgreSQL sent; undefined for any other error. */
export const sqlstateOf = (error: unknown): string | undefined =>
  error instanceof pg.DatabaseError ? error.code : undefined

/** Why it happens and what to do; undefined where PostgreSQL's message is enough. */
export const adviceFor = (sqlstate: string | undefined): string | undefined => known(sqlstate).advice

/** What to do before the same SQL is run again; undefined where the SQL has to be changed. */
export const remedyFor = (sqlstate: string | undefined): string | undefined =>
  known(sqlstate).remedy ?? (/^(53|57|58|F0|XX)/.test(sqlstate ?? "") ? "check the server's log" : undefined)

/** A lock timeout, a deadlock, a serialization failure: the same transaction may work next time. */
export const isRetryable = (sqlstate: string | undefined): boolean => known(sqlstate).isRetryable === true

/** What an SQLSTATE means while a connection is opened; undefined where nothing more is known. */
export const connectionProblem = (sqlstate: string | undefined): ConnectionProblem | undefined =>
  known(sqlstate).connecting

/** Whether with this error the server ended the session, so that the connection is of no use any more. */
export const endsSession = (error: unknown): boolean =>
  error instanceof pg.DatabaseError &&
  (known(error.code).endsSession === true || error.severity === "FATAL" || error.severity === "PANIC")
