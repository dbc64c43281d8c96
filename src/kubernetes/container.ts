import * as z from "zod/mini"
import { text } from "./template.js"
import { type DeployVariable, read, readQuoted } from "./values.js"

const amounts = z.strictObject({ cpu: text, memory: text })

const variable = z.union([
  z.strictObject({ name: text, value: text }),
  z.strictObject({
    name: text,
    valueFrom: z.strictObject({
      secretKeyRef: z.strictObject({ name: text, key: text, optional: z.optional(z.boolean()) }),
    }),
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
 * The fields of the containers here, with the names of the Kubernetes API (core/v1 Container); no other field is
 * accepted, so that a misspelt one cannot pass.
 */
export const containerSchema = z.strictObject({
  name: text,
  image: text,
  command: z.array(text),
  env: z.array(variable),
  volumeMounts: z.optional(z.array(z.strictObject({ name: text, mountPath: text, readOnly: z.literal(true) }))),
  resources: z.optional(z.strictObject({ requests: amounts, limits: amounts })),
  securityContext: z.optional(securityContext),
  terminationMessagePolicy: z.optional(z.literal("FallbackToLogsOnError")),
})

type Container = z.infer<typeof containerSchema>

/** What the image holds: a slim one has no Prisma CLI. */
export type ImageContent = "full" | "slim"

/** How much is said about a container: what it needs to run; or what a cluster that enforces standards needs as well. */
type Detail = "plain" | "hardened"

/** What becomes a chart's template, whose values say the rest, or a manifest that holds them. */
type Place =
  | { readonly kind: "template" }
  | {
      readonly kind: "manifest"
      readonly image: string
      readonly secret: string
      /** The Secret that holds a fleet's list of targets. */
      readonly targets: string
    }

/** All that decides what a container looks like. */
export interface ContainerRequest {
  readonly content: ImageContent
  readonly detail: Detail
  readonly place: Place
  /** The command's options with their defaults. */
  readonly variables: readonly DeployVariable[]
  /** The variables from which the project's programs read the database's URL; absent: DATABASE_URL. */
  readonly urlVariables?: readonly string[] | undefined
}

const programs = {
  deploy: { full: ["npx", "prisma", "migrate", "deploy"], slim: ["lockstep", "deploy"] },
  wait: { full: ["npx", "lockstep", "wait", "--applied"], slim: ["lockstep", "wait", "--applied"] },
  // npx as the first process would not pass SIGTERM on, and a backfill takes long.
  backfill: { full: ["lockstep", "backfill"], slim: ["lockstep", "backfill"] },
} as const

const names = { deploy: "db-migrate", wait: "db-wait", backfill: "db-backfill" } as const

/**
 * A container that deploys, waits or runs backfills, with the URL from a Secret: the application's, or the one of the Job alone.
 * Hardened it has the command's options from the values, and what the "restricted" Pod Security Standard requires: any
 * user but root, a root file system that cannot be written, no capabilities. The end of the log becomes the termination
 * message, which `kubectl describe` shows; that of a wait does so always.
 * Source: Kubernetes documentation, "Pod Security Standards", "Determine the Reason for Pod Failure".
 */
export function migrationContainer(
  program: keyof typeof programs,
  secret: "database" | "migrations",
  { content, detail, place, variables, urlVariables = ["DATABASE_URL"] }: ContainerRequest,
): Container {
  const container: Container = {
    name: names[program],
    image: place.kind === "manifest" ? place.image : `${read("image.repository")}:${read("image.tag")}`,
    command: [...programs[program][content]],
    env: urlVariables.map((name) => ({ name, valueFrom: { secretKeyRef: secretKey(secret, place) } })),
    ...(program === "wait" && { terminationMessagePolicy: "FallbackToLogsOnError" }),
  }
  if (detail === "plain") return container
  const options = program === "wait" ? [] : variables
  const textOf = ({ name, value }: DeployVariable) =>
    place.kind === "manifest" ? value : readQuoted(`${program === "backfill" ? "backfill" : "migrations"}.env.${name}`)
  return {
    ...container,
    env: [...container.env, ...options.map((option) => ({ name: option.name, value: textOf(option) }))],
    resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { cpu: "1", memory: "512Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    },
    terminationMessagePolicy: "FallbackToLogsOnError",
  }
}

const secretKey = (secret: "database" | "migrations", place: Place) =>
  place.kind === "manifest"
    ? { name: place.secret, key: "DATABASE_URL" }
    : { name: read(`${secret}.secretName`), key: read(`${secret}.secretKey`) }

/** A part of a pod's specification. */
export const podPartSchema = z.strictObject({ initContainers: z.array(containerSchema) })

type PodPart = z.infer<typeof podPartSchema>

/** The init container that applies the migrations: the strategy document's, where it is plain. */
export const initContainer = (request: ContainerRequest): PodPart => ({
  initContainers: [migrationContainer("deploy", "database", request)],
})

/** The init container that only waits for who applies them: a role that may read the history is enough for it. */
export const waitingInitContainer = (request: ContainerRequest): PodPart => ({
  initContainers: [migrationContainer("wait", "database", request)],
})
