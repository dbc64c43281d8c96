import { defaultSettings } from "../deploy/context.js"
import type { OptionTable } from "./options.js"

/** Where the project's parts are. Every command that reads the project takes them. */
export const projectOptions = {
  config: { type: "text", value: "file", description: "the prisma.config to use" },
  schema: { type: "text", value: "path", description: "the Prisma schema: a file, or a folder of them" },
  migrations: { type: "text", value: "dir", description: "the migrations folder" },
} as const satisfies OptionTable

/** For commands that try something out. */
export const scratchServer = {
  shadowUrl: {
    type: "text",
    value: "url",
    description: "a database on the server where scratch databases are made",
    defaultDescription: "the configuration's shadowDatabaseUrl, else the test database",
  },
} as const satisfies OptionTable

/** For commands that an empty migrations folder would mislead. */
export const allowEmpty = {
  allowEmpty: { type: "boolean", description: "accept a migrations folder without migrations" },
} as const satisfies OptionTable

/** Consent to a destructive command, for where nobody can type it. */
export const consent = {
  yes: {
    type: "boolean",
    short: "y",
    description: "consent to a destructive command on a database that is not the test database",
    source: "command line",
  },
} as const satisfies OptionTable

/** The options of every command that deploys. */
export const deployOptions = {
  ...projectOptions,
  connectTimeout: {
    type: "duration",
    default: defaultSettings.connectTimeout,
    description: "how long to wait for a database that does not accept connections yet",
  },
  lockWait: {
    type: "duration",
    default: defaultSettings.lockWait,
    description: "how long to wait for the migration lock; 0: not at all",
  },
  lockTimeout: {
    type: "duration",
    default: defaultSettings.lockTimeout,
    description: "how long a statement waits for a table's lock before it is canceled and retried; 0: without a limit",
  },
  retries: {
    type: "count",
    default: defaultSettings.retries,
    description: "how often to retry after a lock timeout, a deadlock or a lost connection",
  },
  verify: {
    type: "choice",
    value: "what",
    choices: ["history", "schema"],
    default: "history",
    description:
      "what to verify before exit 0: history; or schema, which also replays the history on a scratch database",
  },
  strict: { type: "boolean", description: "refuse edited, missing and out-of-order migrations" },
  resume: {
    type: "boolean",
    description: "resume a failed non-transactional migration from the statement at which it stopped",
  },
  backupTo: {
    type: "text",
    value: "dir",
    description: "where something is pending, back the database up into this folder before it is applied (pg_dump)",
  },
  ...allowEmpty,
} as const satisfies OptionTable
