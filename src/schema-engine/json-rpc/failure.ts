import { createColors } from "picocolors"
import * as z from "zod/mini"
import { forPeople } from "../../cli/output.js"
import { type ErrorCode, LockstepError } from "../../errors.js"
import { type DatabaseUrl, parseDatabaseUrl } from "../../postgres/url.js"
import { renderError } from "../../report/error.js"
import { EnginePanic, EngineRefusal } from "../engine-error.js"
import { InvalidInput } from "../wasm.js"
import type { CliStderr } from "./cli-stderr.js"
import { invalidParams, RpcError } from "./protocol.js"

/** An error as the schema engine reports it: Prisma's code where it has one, and the text that the CLI prints. */
interface KnownError {
  readonly code: string | undefined
  readonly message: string
  readonly meta: unknown
}

/** Prisma's codes for ours. Source: Prisma's "Error message reference". */
const codes: Partial<Record<ErrorCode, string>> = {
  L1012: "P3018",
  L1013: "P3018",
  L1014: "P3018",
  L1015: "P3018",
  L1016: "P1017",
  L1020: "P1002",
  L1023: "P1010",
  L1101: "P3019",
  L1102: "P3015",
  L1103: "P3005",
  L1104: "P3009",
  L1107: "P3017",
  L1110: "P1010",
  L1201: "P1013",
  L1202: "P1013",
  L1203: "P1013",
  L1204: "P1013",
  L1210: "P1001",
  L1211: "P1001",
  L1212: "P1001",
  L1213: "P1000",
  L1214: "P1010",
  L1215: "P1003",
  L1216: "P2037",
  L1217: "P1001",
  L1218: "P1011",
  L1219: "P1001",
  L1409: "P3006",
}

/** The call that failed. */
export interface FailedCall {
  /** The URL of its database as it was given; empty where there is none. */
  readonly url: string
  /** Who reads the message. */
  readonly reader: CliStderr["reader"]
}

/**
 * Whatever was thrown, as it is reported to Prisma's CLI: one message, in which Prisma's own sentence comes first and our
 * report follows. For a program some sentences are the whole message.
 */
export function knownError(error: unknown, { url, reader }: FailedCall): KnownError {
  if (error instanceof EngineRefusal) return { code: error.code, message: error.message, meta: error.meta }
  if (!(error instanceof LockstepError)) {
    return { code: undefined, message: error instanceof Error ? error.message : String(error), meta: undefined }
  }
  const code = codes[error.code]
  const report = forPeople(withPrismaCommands(renderError(error, createColors(false))))
  const sentence = code === undefined ? undefined : sentences[code]?.({ error, text: url, url: parsed(url) })
  const isAlone = code !== undefined && complete.has(code) && reader === "program"
  const message = [sentence, isAlone ? undefined : report].filter(Boolean).join("\n\n")
  return { code, message, meta: { code: error.code } }
}

/** The CLI prints the message of the answer itself, and offers to report the crash to Prisma. */
const crash = (message: string): RpcError =>
  new RpcError(4467, `Error in Schema engine.\nReason: ${message}\n`, { is_panic: true, message, backtrace: null })

/** The answer to a call that failed: Prisma's own number and words; what the CLI prints is in `data`. */
export function refusal(error: unknown, failed: FailedCall): RpcError {
  if (error instanceof InvalidInput) return invalidParams(error.message)
  if (error instanceof EnginePanic) return crash(error.message)
  if (error instanceof z.core.$ZodError) return invalidParams(z.prettifyError(error))
  const { code, message, meta } = knownError(error, failed)
  const data = {
    is_panic: false,
    message,
    ...(code ? { meta: meta ?? {}, error_code: code } : { backtrace: null }),
  }
  return new RpcError(4466, "An error happened. Check the data field for details.", data)
}

/** What Prisma's own sentences are about. */
interface About {
  readonly error: LockstepError
  /** The URL of the call as it was given; it may be one that cannot be parsed. */
  readonly text: string
  /** The same, parsed; undefined where it cannot be. */
  readonly url: DatabaseUrl | undefined
}

const baseline = "Read more about how to baseline an existing production database: https://pris.ly/d/migrate-baseline"
const resolving =
  "Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve"
const documentation =
  "Please refer to the documentation in https://pris.ly/d/config-url for constructing a correct connection string. In some cases, certain characters must be escaped. Please check the string for any illegal characters."

const location = ({ url }: About): string => (url ? `${url.host}:${url.port}` : "")
const database = ({ url }: About): string => url?.database ?? ""

/** By Prisma's code. Source: Prisma's "Error message reference", and `user-facing-errors` of prisma-engines. */
const sentences: Readonly<Record<string, (about: About) => string>> = {
  P1000: ({ url }) =>
    `Authentication failed against database server, the provided database credentials for \`${url?.user ?? ""}\` are not valid.\n\nPlease make sure to provide valid database credentials for the database server at the configured address.`,
  P1001: (about) =>
    `Can't reach database server at \`${location(about)}\`\n\nPlease make sure your database server is running at \`${location(about)}\`.`,
  P1002: (about) =>
    `The database server was reached but timed out.\n\nPlease try again.\n\nPlease make sure your database server is running at \`${location(about)}\`.`,
  P1003: (about) => missingDatabase(database(about)),
  P1010: (about) => `User was denied access on the database \`${database(about)}\``,
  P1013: (about) => invalidUrl(reasonOf(about)),
  P1017: () => "Server has closed the connection.",
  P3006: () => "A migration failed to apply cleanly to the shadow database.",
  P3005: () => `The database schema is not empty. ${baseline}`,
  P3009: () =>
    `migrate found failed migrations in the target database, new migrations will not be applied. ${resolving}`,
  P3018: ({ error }) => failedMigration(error),
}

export const missingDatabase = (name: string): string => `Database \`${name}\` does not exist`
export const existingDatabase = (name: string): string => `Database \`${name}\` already exists on the database server`
const invalidUrl = (reason: string): string =>
  `The provided database string is invalid. ${reason} in database URL. ${documentation}`

/** How the URLs of a schema's provider begin. */
const protocols: ReadonlyMap<string, string> = new Map([
  ["mysql", "mysql://"],
  ["sqlite", "file:"],
  ["sqlserver", "sqlserver://"],
])

/** For a URL whose scheme is not the one of the schema's provider. */
export function otherScheme(provider: string): string {
  const protocol = protocols.get(provider)
  if (protocol === undefined) return invalidUrl("The scheme is not recognized")
  return `The provided database string is invalid. \`datasource.url\` in \`prisma.config.ts\` is invalid: must start with the protocol \`${protocol}\`.`
}

/**
 * The codes whose sentence is the whole message in Prisma's own engine: what a program compares as a whole.
 */
const complete: ReadonlySet<string> = new Set(["P1001", "P1003", "P1013", "P3005"])

function parsed(text: string): DatabaseUrl | undefined {
  try {
    return parseDatabaseUrl(text)
  } catch {
    return undefined
  }
}

/** Nothing of the URL is repeated: any part of one that cannot be parsed may be a part of the password. */
function reasonOf({ error, text }: About): string {
  if (!/^postgres(?:ql)?:/i.test(text.trim())) return "The scheme is not recognized"
  if (error.code === "L1201") {
    const [, port] = /^[^:]+:\/\/(?:[^/?#]*@)?[^/?#@:]*:([^/?#]*)/.exec(text) ?? []
    return port === undefined || /^\d*$/.test(port) ? "invalid connection string" : "invalid port number"
  }
  return error.message
}

/** The names and numbers that Prisma's engine gives about a failed migration; the place and the state follow in ours. */
function failedMigration({ message, details }: LockstepError): string {
  const name = details.file?.split(/[\\/]/).at(-2)
  return [
    `A migration failed to apply. New migrations cannot be applied before the error is recovered from. ${resolving}`,
    name && `Migration name: ${name}`,
    details.sqlstate && `Database error code: ${details.sqlstate}`,
    `Database error:\n${details.sqlstate ? "ERROR: " : ""}${message}`,
  ]
    .filter(Boolean)
    .join("\n\n")
}

/** Prisma's command for one of ours; with options that it does not have, ours is the only one. */
const commands: readonly (readonly [ours: RegExp, prismas: string])[] = [
  [/^deploy$/, "migrate deploy"],
  [/^status$/, "migrate status"],
  [/^baseline$/, "migrate resolve --applied <each migration>"],
  [/^resolve (--applied|--rolled-back)/, "migrate resolve $1"],
  [/^reset$/, "migrate reset"],
  [/^push$/, "db push"],
  [/^migrate$/, "migrate dev"],
  [/^generate$/, "generate"],
]

/**
 * Names Prisma's commands in the place of ours: in Prisma's CLI these are what a person types. From which variable the
 * datasource has its URL, the CLI alone knows.
 */
export function withPrismaCommands(text: string): string {
  return text
    .replaceAll("DATABASE_URL", "the datasource's URL")
    .replace(/`lockstep ([^`\n]+)`/g, (ours, words: string) => {
      const [pattern, prismas] = commands.find(([each]) => each.test(words)) ?? []
      return pattern === undefined || prismas === undefined ? ours : `\`prisma ${words.replace(pattern, prismas)}\``
    })
}
