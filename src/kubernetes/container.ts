import * as z from "zod/mini"

/** A text in which Helm's expressions may stand: "{{ .Values.image.tag }}". */
const text = z.string().check(z.minLength(1))

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
 * What an init container of ours consists of, with the names of the Kubernetes API (core/v1 Container); nothing else
 * is accepted, so that a misspelt field cannot pass.
 */
export const containerSchema = z.strictObject({
  name: text,
  image: text,
  command: z.array(text),
  env: z.array(variable),
  resources: z.optional(z.strictObject({ requests: amounts, limits: amounts })),
  securityContext: z.optional(securityContext),
  terminationMessagePolicy: z.optional(z.literal("FallbackToLogsOnError")),
})

export type Container = z.infer<typeof containerSchema>

/** A part of a pod's specification. */
export const podPartSchema = z.strictObject({ initContainers: z.array(containerSchema) })

export type PodPart = z.infer<typeof podPartSchema>
