import { Document, isMap, isPair, isScalar } from "yaml"
import * as z from "zod/mini"
import { print, text } from "./template.js"

/** The Helm values that the printed expressions read. */
export const valuesSchema = z.strictObject({
  image: z.strictObject({ repository: text, tag: text }),
  database: z.strictObject({ secretName: text, secretKey: text }),
  migrations: z.strictObject({
    secretName: text,
    secretKey: text,
    env: z.record(z.string().check(z.regex(/^LOCKSTEP_[A-Z_]+$/)), text),
  }),
  backfill: z.strictObject({ env: z.record(z.string().check(z.regex(/^LOCKSTEP_[A-Z_]+$/)), text) }),
  fleet: z.strictObject({
    ...{ secretName: text, secretKey: text, canaryGroup: text },
    ...{
      completions: z.number(),
      parallelism: z.number(),
      backoffLimitPerIndex: z.number(),
      maxFailedIndexes: z.number(),
    },
  }),
})

export type Values = z.infer<typeof valuesSchema>

/** One of a command's options as an environment variable. */
export interface DeployVariable {
  /** LOCKSTEP_LOCK_WAIT. */
  readonly name: string
  /** The option's default, as a value of the variable. */
  readonly value: string
  /** What it decides, for people. */
  readonly help: string
}

/** Paths to a text or a number in the values: "image.tag". */
type Path<T> = T extends string | number
  ? never
  : { [K in keyof T & string]: T[K] extends string | number ? K : `${K}.${Path<T[K]>}` }[keyof T & string]

/** The Helm expression that reads a value: "{{ .Values.image.tag }}". */
export const read = (path: Path<Values>): string => `{{ .Values.${path} }}`

/** The same where YAML must read a string, whatever the value looks like: "30", "true". */
export const readQuoted = (path: Path<Values>): string => `{{ .Values.${path} | quote }}`

/** How a fleet's Job is divided, unless it is said otherwise. */
export const fleetSize = { completions: 16, parallelism: 4, backoffLimitPerIndex: 2, maxFailedIndexes: 0 } as const

/** The options of the commands that run in containers. */
export interface Variables {
  readonly deploy: readonly DeployVariable[]
  readonly backfill: readonly DeployVariable[]
}

const defaultsOf = (variables: readonly DeployVariable[]): Readonly<Record<string, string>> =>
  Object.fromEntries(variables.map(({ name, value }) => [name, value]))

/** Example values, with the options' defaults. */
export const exampleValues = ({ deploy, backfill }: Variables): Values => ({
  image: { repository: "registry.example.com/shop", tag: "1.0.0" },
  database: { secretName: "shop-database", secretKey: "DATABASE_URL" },
  migrations: {
    secretName: "shop-migrations",
    secretKey: "DATABASE_URL",
    env: defaultsOf(deploy),
  },
  backfill: { env: defaultsOf(backfill) },
  fleet: {
    ...{ secretName: "shop-targets", secretKey: "targets.jsonl", canaryGroup: "canary" },
    ...fleetSize,
  },
})

/** Values as the text of a values.yaml with a comment for each that needs one, without a newline at its end. */
export function renderValues(values: Values, { deploy, backfill }: Variables): string {
  const document = new Document(values)
  const comment = (path: readonly string[], text: string) => {
    const parent = document.getIn(path.slice(0, -1), true)
    const pairs = isMap(parent) ? parent.items : []
    const key = pairs.filter(isPair).find((pair) => isScalar(pair.key) && pair.key.value === path.at(-1))?.key
    if (isScalar(key)) key.commentBefore = ` ${text}`
  }
  comment(["image", "repository"], "the image that holds the migrations")
  comment(
    ["database", "secretName"],
    "the Secret in the release's namespace, and its key that holds the database's URL",
  )
  comment(["migrations", "secretName"], "the same for the Job alone, with a role that may change the schema")
  comment(["migrations", "env"], "the deploy's options with their defaults; the hardened containers read them")
  comment(["backfill", "env"], "the same of the Job that runs backfills")
  comment(["fleet", "secretName"], "for a fleet's Jobs: the Secret that holds the list of targets, and its key")
  comment(["fleet", "canaryGroup"], "the group of targets that is deployed to first, by a Job of its own")
  comment(["fleet", "completions"], "in how many shares the list is divided, and how many pods work at once")
  comment(
    ["fleet", "backoffLimitPerIndex"],
    "how often a share is started again, and how many may fail before all are stopped",
  )
  for (const { name, help } of deploy) comment(["migrations", "env", name], help)
  for (const { name, help } of backfill) comment(["backfill", "env", name], help)
  return print(document)
}
