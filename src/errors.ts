/**
 * Every error code with its exit code and title. Codes are stable: they are never reused or renumbered.
 * L10 a migration's SQL, L11 the history, L12 the connection, L13 usage and project, L14 the schema engine,
 * L15 the embedded server, L16 containers and Kubernetes, L17 init, L180 rehearsals, L185 squash, L19 checks, L20 fleets,
 * L204 backups, L207 reports, L21 backfills.
 */
export const errorCodes = {
  L1000: { exitCode: 1, title: "unexpected failure (a bug in Lockstep; please report it)" },
  L1001: { exitCode: 1, title: "interrupted" },
  L1012: { exitCode: 1, title: "a statement of a migration failed" },
  L1013: { exitCode: 1, title: "a file needs psql: a meta-command, or COPY … FROM stdin" },
  L1014: { exitCode: 1, title: "timed out waiting for a lock on a table" },
  L1015: { exitCode: 1, title: "a non-transactional migration stopped part-way" },
  L1016: { exitCode: 1, title: "the connection was lost and not restored" },
  L1017: { exitCode: 1, title: "the history cannot be read or written" },
  L1018: { exitCode: 1, title: "the history table does not keep its rows" },
  L1019: { exitCode: 1, title: "a file ends a transaction that it does not begin, or begins one that it does not end" },
  L1020: { exitCode: 1, title: "timed out waiting for the migration lock" },
  L1021: { exitCode: 2, title: "the database is behind a transaction pooler" },
  L1022: { exitCode: 1, title: "the server is a standby or read-only" },
  L1023: { exitCode: 1, title: "the role may not create what a deploy needs" },
  L1024: { exitCode: 1, title: "a file that cannot be parsed begins or ends a transaction" },
  L1030: { exitCode: 1, title: "verification failed: the history is not what was deployed" },
  L1031: { exitCode: 1, title: "the schema has drifted from the history" },
  L1032: { exitCode: 1, title: "the server lost migrations that it had confirmed" },
  L1101: { exitCode: 2, title: "the migrations folder cannot be read or is not PostgreSQL's" },
  L1102: { exitCode: 2, title: "a migration in the folder cannot be used" },
  L1103: { exitCode: 1, title: "the database is not empty and has no history" },
  L1104: { exitCode: 1, title: "the history holds a failed migration" },
  L1105: { exitCode: 1, title: "the history and the folder differ (--strict)" },
  L1106: { exitCode: 1, title: "no migrations where some were expected" },
  L1107: { exitCode: 2, title: "no such migration" },
  L1108: { exitCode: 1, title: "the history table has another shape than Prisma's" },
  L1109: { exitCode: 1, title: "a history row is not in the state that the command requires" },
  L1110: { exitCode: 1, title: "the role may not read the history" },
  L1201: { exitCode: 2, title: "the database URL cannot be parsed" },
  L1202: { exitCode: 2, title: "the database URL is not PostgreSQL's" },
  L1203: { exitCode: 2, title: "a parameter of the database URL is wrong" },
  L1204: { exitCode: 2, title: "a certificate file cannot be read" },
  L1205: { exitCode: 2, title: "no database URL" },
  L1210: { exitCode: 1, title: "nothing listens at the database's address" },
  L1211: { exitCode: 1, title: "the database's host name is not known" },
  L1212: { exitCode: 1, title: "the connection could not be opened" },
  L1213: { exitCode: 1, title: "wrong password" },
  L1214: { exitCode: 1, title: "the role or host is refused" },
  L1215: { exitCode: 1, title: "the database does not exist" },
  L1216: { exitCode: 1, title: "the server has no connection left" },
  L1217: { exitCode: 1, title: "the server is starting up or shutting down" },
  L1218: { exitCode: 1, title: "TLS failed" },
  L1219: { exitCode: 1, title: "the server refuses the connection" },
  L1220: { exitCode: 1, title: "PostgreSQL refused what a command needs" },
  L1301: { exitCode: 2, title: "wrong usage" },
  L1302: { exitCode: 2, title: "wrong settings" },
  L1303: { exitCode: 2, title: "the project's configuration cannot be loaded" },
  L1304: { exitCode: 2, title: "a newer major version of Prisma" },
  L1305: { exitCode: 2, title: "a destructive command was not confirmed" },
  L1306: { exitCode: 1, title: "a command of the project failed" },
  L1307: { exitCode: 1, title: "the output cannot be written" },
  L1308: { exitCode: 2, title: "a request of Prisma's CLI that this build of the schema engine cannot answer" },
  L1309: { exitCode: 2, title: "several packages of the workspace are Prisma projects" },
  L1320: { exitCode: 1, title: "the generated client does not exist or cannot be loaded" },
  L1321: { exitCode: 1, title: "the generated client has type errors" },
  L1322: { exitCode: 1, title: "the generated client and the database do not match" },
  L1341: { exitCode: 2, title: "the schema uses types of prisma.config's `extensions`" },
  L1400: { exitCode: 2, title: "Prisma's schema engine cannot be loaded" },
  L1401: { exitCode: 2, title: "the Prisma schema is not valid" },
  L1402: { exitCode: 2, title: "the Prisma schema is written for an older Prisma" },
  L1403: { exitCode: 1, title: "the database differs from its history" },
  L1404: { exitCode: 1, title: "the scratch database cannot be created" },
  L1405: { exitCode: 2, title: "the configured shadow database is the main database" },
  L1406: { exitCode: 1, title: "a migration cannot be replayed on an empty database" },
  L1407: { exitCode: 1, title: "Prisma's schema engine reported an error" },
  L1408: { exitCode: 1, title: "Prisma's schema engine crashed" },
  L1409: { exitCode: 1, title: "the scratch server lacks an extension or a role" },
  L1410: { exitCode: 1, title: "a change would lose data" },
  L1411: { exitCode: 1, title: "a change is not possible with the existing data" },
  L1412: { exitCode: 1, title: "an undo needs a hand-written part" },
  L1413: { exitCode: 1, title: "an undo does not restore the earlier schema" },
  L1414: { exitCode: 2, title: "a migration's name cannot be used" },
  L1415: { exitCode: 2, title: "a rename that was given does not fit the schema's change" },
  L1416: { exitCode: 1, title: "renames do not lead to the Prisma schema" },
  L1417: { exitCode: 1, title: "the Prisma schema from before an undone migration cannot be found" },
  L1419: { exitCode: 2, title: "the Prisma schema means something else to the project's older Prisma" },
  L1501: { exitCode: 2, title: "the embedded PostgreSQL does not run on this platform" },
  L1502: { exitCode: 2, title: "the embedded PostgreSQL is not installed" },
  L1503: { exitCode: 2, title: "root has no account to run the embedded PostgreSQL as" },
  L1504: { exitCode: 1, title: "the test database cannot be created" },
  L1505: { exitCode: 1, title: "the test database's server did not start" },
  L1506: { exitCode: 1, title: "another lockstep test-db is running in this project" },
  L1507: { exitCode: 2, title: "no folder can be used for the test database" },
  L1508: { exitCode: 1, title: "the test database was made by another version of PostgreSQL" },
  L1509: { exitCode: 1, title: "the test database belongs to another user" },
  L1510: { exitCode: 1, title: "the test database is not running" },
  L1511: { exitCode: 2, title: "the PostgreSQL that the test database needs is not installed" },
  L1512: { exitCode: 1, title: "the test database's server does not have an extension that a migration creates" },
  L1601: { exitCode: 2, title: "the folder for the image is not empty" },
  L1602: { exitCode: 2, title: "a package that the image needs is not installed" },
  L1603: { exitCode: 1, title: "Prisma's CLI does not start from the image's files" },
  L1701: { exitCode: 2, title: "no Prisma project on PostgreSQL in the folder" },
  L1702: { exitCode: 2, title: "changes of a project's files were not confirmed" },
  L1703: { exitCode: 2, title: "the folder for the example is not empty" },
  L1704: { exitCode: 1, title: "a file of the project cannot be written" },
  L1710: { exitCode: 2, title: "the beginning of a migration's name fits several" },
  L1801: { exitCode: 1, title: "data for a rehearsal cannot be loaded" },
  L1802: { exitCode: 2, title: "an assertion is not one query" },
  L1803: { exitCode: 1, title: "no scratch database for a rehearsal" },
  L1850: { exitCode: 2, title: "a squashed migration cannot be used" },
  L1851: { exitCode: 1, title: "the database has some of the migrations that a squash replaces, not all" },
  L1852: { exitCode: 1, title: "the role may not rewrite the history" },
  L1853: { exitCode: 2, title: "a squashed migration cannot be undone" },
  L1854: { exitCode: 1, title: "a squashed migration would make something else" },
  L1855: { exitCode: 2, title: "the migrations to squash are not committed" },
  L1856: { exitCode: 1, title: "the database lacks some of the migrations to squash" },
  L1901: { exitCode: 2, title: "no such check" },
  L1902: { exitCode: 2, title: "the settings of the checks are wrong" },
  L1903: { exitCode: 2, title: "the base of the checks cannot be read" },
  L1904: { exitCode: 1, title: "squawk failed" },
  L1905: { exitCode: 1, title: "a client of another schema cannot be generated" },
  L1906: { exitCode: 2, title: "the committed statistics of tables cannot be used" },
  L2001: { exitCode: 2, title: "lines of a fleet's list of targets cannot be used" },
  L2002: { exitCode: 2, title: "a fleet's list of targets cannot be read, or is empty" },
  L2003: { exitCode: 2, title: "a fleet's targets are listed twice" },
  L2004: { exitCode: 2, title: "the options of a fleet are wrong" },
  L2005: { exitCode: 2, title: "the file of a fleet's run cannot be read or written" },
  L2006: { exitCode: 2, title: "results of a fleet cannot be read" },
  L2040: { exitCode: 2, title: "pg_dump, pg_restore or psql is not installed" },
  L2041: { exitCode: 2, title: "pg_dump, pg_restore or psql is older than the server" },
  L2042: { exitCode: 1, title: "pg_dump failed" },
  L2043: { exitCode: 1, title: "a backup cannot be restored" },
  L2044: { exitCode: 1, title: "a backup is not the file that was written" },
  L2045: { exitCode: 1, title: "the database to restore into is not empty" },
  L2046: { exitCode: 1, title: "a backup cannot be written" },
  L2047: { exitCode: 2, title: "a file is no backup" },
  L2048: { exitCode: 2, title: "pg_dump cannot use the database URL's certificate" },
  L2070: { exitCode: 2, title: "a report's file cannot be read" },
  L2101: { exitCode: 2, title: "a backfill's file cannot be used" },
  L2102: { exitCode: 2, title: "no such backfill" },
  L2103: { exitCode: 1, title: "the migration that a backfill comes after is not applied" },
  L2104: { exitCode: 1, title: "a backfill's table cannot be walked in ranges" },
  L2105: { exitCode: 1, title: "a backfill's file was edited, or its schema restored, after it began" },
  L2106: { exitCode: 1, title: "timed out waiting for another process that runs the backfill" },
  L2107: { exitCode: 1, title: "a backfill's statement failed" },
  L2108: { exitCode: 1, title: "a backfill's progress cannot be read or written" },
  L2109: { exitCode: 1, title: "the lag of the replicas is not visible" },
  L2110: { exitCode: 1, title: "a migration comes after a backfill that is not finished" },
} as const satisfies Record<string, { exitCode: 1 | 2; title: string }>

export type ErrorCode = keyof typeof errorCodes

/** What a failure is reported with: the place, the state of the database, the next command. */
export interface ErrorDetails {
  /** Path relative to the project, of the file that failed. */
  readonly file?: string | undefined
  /** 1-based. */
  readonly line?: number | undefined
  /** 1-based, in characters. */
  readonly column?: number | undefined
  /** The lines around the place, ready to print, with a caret line. */
  readonly excerpt?: string | undefined
  readonly sqlstate?: string | undefined
  /** More about it: PostgreSQL's detail and hint, or several problems, one a line. */
  readonly hint?: string | undefined
  /** What state the database is in now. */
  readonly state?: string | undefined
  /** The next command, or what to do. */
  readonly next?: string | undefined
  readonly cause?: unknown
}

/** The one error class: a stable code, an exit code, and details. Messages never contain a password. */
export class LockstepError extends Error {
  override readonly name = "LockstepError"
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.details = details
  }

  get exitCode(): 1 | 2 {
    return errorCodes[this.code].exitCode
  }
}

/** The same error after something was done: its state reports that as well, or in place of "nothing was touched". */
export function preceded(error: unknown, done: string): unknown {
  if (!(error instanceof LockstepError)) return error
  const { state } = error.details
  const own = state === undefined || state.startsWith("nothing was touched") ? [] : [state]
  return new LockstepError(error.code, error.message, { ...error.details, state: [...own, done].join(" ") })
}
