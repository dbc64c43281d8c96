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
  /** The option's default, as a value of the variable. */
  readonly value: string
  /** What it decides, for people. */
  readonly help: string
}

/** Paths to a text in the values: "image.tag". */
type Path<T> = T extends string
  ? never
  : { [K in keyof T & string]: T[K] extends string ? K : `${K}.${Path<T[K]>}` }[keyof T & string]

/** The Helm expression that reads a value: "{{ .Values.image.tag }}". */
const read = (path: Path<Values>): string => `{{ .Values.${path} }}`

/** The same where YAML must read a string, whatever the value looks like: "30", "true". */
const readQuoted = (path: Path<Values>): string => `{{ .Values.${path} | quote }}`

/** Example values, with the deploy's defaults. */
export const exampleValues = (variables: readonly DeployVariable[]): Values => ({
  image: { repository: "registry.example.com/shop", tag: "1.0.0" },
  database: { secretName: "shop-database", secretKey: "DATABASE_URL" },
  migrations: { env: Object.fromEntries(variables.map(({ name, value }) => [name, value])) },
})

const amounts = z.strictObject({ cpu: text, memory: text })

const variable = z.union([
  z.strictObject({ name: text, value: text }),
  z.strictObject({
    name: text,
    valueFrom: z.strictObject({ secretKeyRef: z.strictObject({ name: text, key: text }) }),
  }),
])

const securityContext = z.strictObject({
  allowPrivilegeEscalation: z.boolean(),
  capabilities: z.strictObject({ drop: z.array(text) }),
  readOnlyRootFilesystem: z.boolean(),
  runAsNonRoot: z.boolean(),
  seccompProfile: z.strictObject({ type: z.literal("RuntimeDefault") }),
})

/**
 * The fields of the init containers here, with the names of the Kubernetes API (core/v1 Container); no other field is
 * accepted, so that a misspelt one cannot pass.
 */
const containerSchema = z.strictObject({
  name: text,
  image: text,
  command: z.array(text),
  env: z.array(variable),
  resources: z.optional(z.strictObject({ requests: amounts, limits: amounts })),
  securityContext: z.optional(securityContext),
  terminationMessagePolicy: z.optional(z.literal("FallbackToLogsOnError")),
})

type Container = z.infer<typeof containerSchema>

/** A part of a pod's specification. */
export const podPartSchema = z.strictObject({ initContainers: z.array(containerSchema) })

export type PodPart = z.infer<typeof podPartSchema>

/** The init container of the migration strategy: Prisma's own command, and the URL from a Secret. */
const plain: Container = {
  name: "db-migrate",
  image: `${read("image.repository")}:${read("image.tag")}`,
  command: ["npx", "prisma", "migrate", "deploy"],
  env: [
    {
      name: "DATABASE_URL",
      valueFrom: { secretKeyRef: { name: read("database.secretName"), key: read("database.secretKey") } },
    },
  ],
}

/** The init container as the strategy document has it. */
export const initContainer = (): PodPart => ({ initContainers: [plain] })

/**
 * The same container with the deploy's options from the values, and as the "restricted" Pod Security Standard requires:
 * any user but root, a root file system that cannot be written, no capabilities. The end of the log becomes the
 * termination message, which `kubectl describe` shows.
 * Source: Kubernetes documentation, "Pod Security Standards", "Determine the Reason for Pod Failure".
 */
export const hardenedInitContainer = (variables: readonly DeployVariable[]): PodPart => ({
  initContainers: [
    {
      ...plain,
      env: [...plain.env, ...variables.map(({ name }) => ({ name, value: readQuoted(`migrations.env.${name}`) }))],
      resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { cpu: "1", memory: "512Mi" } },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      },
      terminationMessagePolicy: "FallbackToLogsOnError",
    },
  ],
})
