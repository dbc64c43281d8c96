import * as z from "zod/mini"

const text = z.string().check(z.minLength(1))

/** The Helm values that the init container's expressions read. */
export const valuesSchema = z.strictObject({
  image: z.strictObject({ repository: text, tag: text }),
  database: z.strictObject({ secretName: text, secretKey: text }),
  migrations: z.strictObject({ env: z.record(z.string().check(z.regex(/^LOCKSTEP_[A-Z_]+$/)), text) }),
})

export type Values = z.infer<typeof valuesSchema>

/** One of the deploy's options as an environment variable. */
export interface DeployVariable {
  /** LOCKSTEP_LOCK_WAIT. */
  readonly name: string
  /** The option's default, as its environment variable would say it. */
  readonly value: string
  /** What it decides, for people. */
  readonly help: string
}

/** Paths to a text in the values: "image.tag". */
type Path<T> = T extends string
  ? never
  : { [K in keyof T & string]: T[K] extends string ? K : `${K}.${Path<T[K]>}` }[keyof T & string]

/** The Helm expression that reads a value: "{{ .Values.image.tag }}". */
export const read = (path: Path<Values>): string => `{{ .Values.${path} }}`

/** The same for a place where YAML has to see a text, whatever the value looks like: "30", "true". */
export const readQuoted = (path: Path<Values>): string => `{{ .Values.${path} | quote }}`

/** Example values, with the deploy's defaults. */
export const exampleValues = (variables: readonly DeployVariable[]): Values => ({
  image: { repository: "registry.example.com/shop", tag: "1.0.0" },
  database: { secretName: "shop-database", secretKey: "DATABASE_URL" },
  migrations: { env: Object.fromEntries(variables.map(({ name, value }) => [name, value])) },
})
