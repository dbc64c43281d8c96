import pg from "pg"

/** The SQLSTATE of an error that PostgreSQL sent; undefined for any other error. */
export const sqlstateOf = (error: unknown): string | undefined =>
  error instanceof pg.DatabaseError ? error.code : undefined

/** A name as SQL, always quoted. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A text as SQL, safe whatever `standard_conforming_strings` is. */
export const quoteLiteral = (text: string): string =>
  text.includes("\\") ? `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'` : `'${text.replaceAll("'", "''")}'`

/** What to do about an SQLSTATE, in plain words, where PostgreSQL's own hint does not say it. */
const advice: Readonly<Record<string, string>> = {
  "22001": "A value is longer than its column allows.",
  "22P02": "A text is not a value of the type that is asked for.",
  "23502": "Rows exist that have no value there: fill them first, or give the column a default.",
  "23503": "Rows exist that refer to nothing: mend or delete them first.",
  "23505": "Rows exist that are equal in the columns that must be unique: merge or delete them first.",
  "23514": "Rows exist that break the check: mend them first.",
  "25001": "The statement cannot run inside a transaction; put it in a migration of its own.",
  "2BP01": "Other objects depend on it: drop or change those first, in the same migration.",
  "2D000":
    "A procedure or DO block may commit or roll back only where it is called outside of a transaction, a function, a block with EXCEPTION and a procedure with SET.",
  "40001": "It clashed with a concurrent transaction every time that it was tried.",
  "40P01": "It deadlocked with other sessions every time that it was tried.",
  "42501": "The role of the URL lacks a privilege: deploy as the owner of the tables, or grant it.",
  "42601": "PostgreSQL's grammar does not allow this.",
  "42701": "The column is there already: was this change made by hand, or by `db:push`?",
  "42710": "The object is there already: was this change made by hand, or by `db:push`?",
  "42P07": "The table or index is there already: was this change made by hand, or by `db:push`?",
  "53100": "The server's disk is full: free room before the next deploy.",
  "53200": "The server ran out of memory.",
  "54000": "A limit of PostgreSQL is exceeded.",
  "55006": "The object is in use by other sessions.",
  "55P03":
    "Other sessions held the lock every time that it was tried: deploy when they are gone, or raise --lock-timeout or --retries.",
  "55P04": "A new enum value can be used only after the transaction that adds it: use it in the next migration.",
  "57014":
    "It was cancelled: by statement_timeout (raise it for this role, or SET it in the migration), or by somebody with pg_cancel_backend.",
  "0A000": "This server does not support it: an extension may not be installed, or the version may be too old.",
}

/** Plain words for an SQLSTATE; undefined where PostgreSQL's message says it all. */
export const adviceFor = (sqlstate: string | undefined): string | undefined => (sqlstate ? advice[sqlstate] : undefined)

const remedies: Readonly<Record<string, string>> = {
  "42501": "give the role of the URL what it lacks, or deploy as another role",
  "53100": "free room on the server's disk",
  "53200": "give the server memory",
  "57014": "raise statement_timeout where that cancelled it",
}

/** What to do before the same thing is tried again, where the server is what refuses; undefined where the SQL has to be changed. */
export const remedyFor = (sqlstate: string | undefined): string | undefined =>
  remedies[sqlstate ?? ""] ?? (/^(53|57|58|F0|XX)/.test(sqlstate ?? "") ? "look into the server's log" : undefined)

/** A lock timeout, a deadlock, a serialization failure: the same transaction may work next time. */
export const isRetryable = (sqlstate: string | undefined): boolean =>
  sqlstate === "55P03" || sqlstate === "40P01" || sqlstate === "40001"

const sessionEnds = new Set(["25P03", "25P04", "57P01", "57P02", "57P03", "57P04", "57P05"])

/** Whether with this error the server ended the session, so that the connection is of no use any more. */
export const endsSession = (error: unknown): boolean =>
  error instanceof pg.DatabaseError &&
  (sessionEnds.has(error.code ?? "") || error.severity === "FATAL" || error.severity === "PANIC")
