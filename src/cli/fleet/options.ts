import { LockstepError } from "../../errors.js"
import type { OptionTable, Settings } from "../options.js"

/** Which databases: for every command that takes a fleet in place of one database. */
export const targetOptions = {
  targets: {
    type: "text",
    value: "file",
    description: "the list of databases, a URL or a JSON object a line; -: the standard input",
  },
  targetsCommand: { type: "text", value: "command", description: "a command that prints such a list" },
  targetsQuery: {
    type: "text",
    value: "sql",
    description: "a query whose rows are the targets, on the database of --targets-url, else of DATABASE_URL",
  },
  targetsUrl: {
    type: "text",
    value: "url",
    description:
      "where --targets-query runs, and what targets without a URL of their own are on; give it as the variable, as it holds a password",
    defaultDescription: "the project's database",
  },
  groups: { type: "list", value: "names", description: "only the targets of these groups, separated by commas" },
  shard: { type: "text", value: "i/n", description: "only this share of the targets, such as 3/16, the third of 16" },
  shards: {
    type: "count",
    default: 0,
    description:
      "of so many shares only that of JOB_COMPLETION_INDEX, in a pod of a Kubernetes Indexed Job; 0: all of them",
  },
  concurrency: {
    type: "count",
    default: 8,
    description: "how many databases to work on, and connections to open, at once",
  },
  concurrencyPerHost: {
    type: "count",
    default: 0,
    description: "how many of them on one server; 0: as many as --concurrency",
  },
} as const satisfies OptionTable

/** How a fleet is deployed. */
export const fleetDeployOptions = {
  ...targetOptions,
  canary: {
    type: "list",
    value: "steps",
    description: "deploy in waves, such as 1,10,50%: to one database, up to the tenth, up to the half, to all",
  },
  yes: {
    type: "boolean",
    short: "y",
    description: "begin each wave of --canary without asking",
    source: "command line",
  },
  maxFailures: {
    type: "text",
    value: "n",
    default: "0",
    description: "how many databases, or which share of them (2%), may fail before no other is started",
  },
  resumeRun: {
    type: "text",
    value: "file",
    description: "resume the run of this file, or the last one: what it has done is not asked again",
    source: "command line",
  },
  runFile: {
    type: "text",
    value: "file",
    description: "the file to keep the run's state in",
    defaultDescription: "a new one in .lockstep/fleet",
  },
  terminationLog: {
    type: "text",
    value: "file",
    description:
      "the file for a summary of at most 4096 bytes, such as /dev/termination-log, which Kubernetes shows as the pod's message",
  },
} as const satisfies OptionTable

export type TargetSettings = Settings<typeof targetOptions>

/** What only means something for a fleet. */
interface ForFleets extends TargetSettings {
  readonly canary?: readonly string[]
  readonly resumeRun?: string | undefined
}

/**
 * Whether a command is about a fleet. Errors: L2004 several lists of targets, or none and options that are for a fleet.
 */
export function isFleet(settings: ForFleets): boolean {
  const { targets, targetsCommand, targetsQuery } = settings
  const lists = [targets, targetsCommand, targetsQuery].filter((one) => one !== undefined)
  if (lists.length === 1) return true
  if (lists.length > 1)
    throw wrong("several lists of targets are given", "give one of --targets, --targets-command and --targets-query")
  const given = [
    ...(settings.shard === undefined ? [] : ["--shard"]),
    ...(settings.groups.length === 0 ? [] : ["--groups"]),
    ...((settings.canary ?? []).length === 0 ? [] : ["--canary"]),
    ...(settings.resumeRun === undefined ? [] : ["--resume-run"]),
  ]
  const [first] = given
  if (first === undefined) return false
  throw wrong(
    `${first} is for a fleet, and no list of targets is given`,
    "add --targets FILE, --targets-command or --targets-query",
  )
}

const wrong = (message: string, next: string): LockstepError =>
  new LockstepError("L2004", message, { state: "nothing was touched.", next })
