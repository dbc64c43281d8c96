import { Document, isMap, isPair, isScalar, isSeq, Scalar, type ScalarTag, visit } from "yaml"
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

/** What the image holds: a slim one has no Prisma CLI. */
export type ImageContent = "full" | "slim"

const commands: Readonly<Record<ImageContent, readonly string[]>> = {
  full: ["npx", "prisma", "migrate", "deploy"],
  slim: ["lockstep", "deploy"],
}

/** The init container of the migration strategy: Prisma's own command, or Lockstep's, and the URL from a Secret. */
const plain = (content: ImageContent): Container => ({
  name: "db-migrate",
  image: `${read("image.repository")}:${read("image.tag")}`,
  command: [...commands[content]],
  env: [
    {
      name: "DATABASE_URL",
      valueFrom: { secretKeyRef: { name: read("database.secretName"), key: read("database.secretKey") } },
    },
  ],
})

/** The init container as the strategy document has it. */
export const initContainer = (content: ImageContent): PodPart => ({ initContainers: [plain(content)] })

/**
 * The same container with the deploy's options from the values, and as the "restricted" Pod Security Standard requires:
 * any user but root, a root file system that cannot be written, no capabilities. The end of the log becomes the
 * termination message, which `kubectl describe` shows.
 * Source: Kubernetes documentation, "Pod Security Standards", "Determine the Reason for Pod Failure".
 */
export const hardenedInitContainer = (content: ImageContent, variables: readonly DeployVariable[]): PodPart => ({
  initContainers: [
    {
      ...plain(content),
      env: [
        ...plain(content).env,
        ...variables.map(({ name }) => ({ name, value: readQuoted(`migrations.env.${name}`) })),
      ],
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

const oneExpression = /^\{\{[^{}]*\}\}$/

/** A text that is one Helm expression is written without quotes: the expression itself quotes its value or not. */
const bareExpression: ScalarTag = {
  tag: "!helm",
  default: true,
  identify: (value) => typeof value === "string" && oneExpression.test(value),
  resolve: (text) => text,
  stringify: ({ value }) => String(value),
}

const print = (document: Document): string =>
  document.toString({ flowCollectionPadding: false, lineWidth: 0 }).trimEnd()

/** An init container as text for a Helm template, without a newline at its end. */
export function renderInitContainer(part: PodPart, heading: string): string {
  const document = new Document(part, { customTags: (tags) => [bareExpression, ...tags] })
  visit(document, {
    Pair(_, pair) {
      if (!isScalar(pair.key) || !isSeq(pair.value)) return
      if (pair.key.value !== "command" && pair.key.value !== "drop") return
      pair.value.flow = true
      for (const item of pair.value.items) if (isScalar(item)) item.type = Scalar.QUOTE_DOUBLE
    },
  })
  if (document.contents) document.contents.commentBefore = ` ${heading}`
  return print(document)
}

/** Values as the text of a values.yaml with a comment for each that needs one, without a newline at its end. */
export function renderValues(values: Values, variables: readonly DeployVariable[]): string {
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
  comment(["migrations", "env"], "the deploy's options with their defaults; the hardened init container reads them")
  for (const { name, help } of variables) comment(["migrations", "env", name], help)
  return print(document)
}
