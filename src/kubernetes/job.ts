import * as z from "zod/mini"
import { type ContainerRequest, containerSchema, migrationContainer } from "./container.js"
import { text } from "./template.js"

/** A number, or the Helm expression that reads it. */
const amount = z.union([z.number(), text])

const failureRule = z.union([
  z.strictObject({
    action: z.enum(["FailJob", "FailIndex"]),
    onExitCodes: z.strictObject({ containerName: text, operator: z.literal("In"), values: z.array(z.number()) }),
  }),
  z.strictObject({
    action: z.literal("Ignore"),
    onPodConditions: z.array(z.strictObject({ type: z.literal("DisruptionTarget"), status: z.literal("True") })),
  }),
])

/** The fields of the Jobs here, with the names of the Kubernetes API (batch/v1 Job); no other field is accepted. */
export const jobSchema = z.strictObject({
  apiVersion: z.literal("batch/v1"),
  kind: z.literal("Job"),
  metadata: z.strictObject({ name: text, annotations: z.optional(z.record(z.string(), text)) }),
  spec: z.strictObject({
    completionMode: z.optional(z.literal("Indexed")),
    completions: z.optional(amount),
    parallelism: z.optional(amount),
    backoffLimit: z.optional(z.number()),
    backoffLimitPerIndex: z.optional(amount),
    maxFailedIndexes: z.optional(amount),
    activeDeadlineSeconds: z.number(),
    ttlSecondsAfterFinished: z.optional(z.number()),
    podFailurePolicy: z.strictObject({ rules: z.array(failureRule) }),
    template: z.strictObject({
      spec: z.strictObject({
        restartPolicy: z.literal("Never"),
        containers: z.array(containerSchema),
        volumes: z.optional(z.array(z.strictObject({ name: text, secret: z.strictObject({ secretName: text }) }))),
      }),
    }),
  }),
})

export type Job = z.infer<typeof jobSchema>

/** Who starts the Job before the release's pods. */
export type Starter = "helm" | "argocd" | "flux" | "kubectl"

/**
 * By which a Job runs first, and again at every release although a Job cannot be changed.
 * Sources: Helm, "Chart Hooks"; Argo CD, "Sync Phases and Waves"; Flux, "Kustomization", "Force".
 */
export const annotations: Readonly<Record<Starter, Readonly<Record<string, string>> | undefined>> = {
  helm: {
    "helm.sh/hook": "pre-install,pre-upgrade",
    "helm.sh/hook-weight": "0",
    "helm.sh/hook-delete-policy": "before-hook-creation",
  },
  argocd: {
    "argocd.argoproj.io/hook": "PreSync",
    "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
  },
  flux: { "kustomize.toolkit.fluxcd.io/force": "enabled" },
  kubectl: undefined,
}

/** Exit code 2: wrong usage or configuration, which a second pod would find again. */
const wrongConfiguration = 2

/** A pod that is evicted does not count as an attempt, and a wrong configuration is not attempted again. */
export const failurePolicy = (containerName: string): Job["spec"]["podFailurePolicy"] => ({
  rules: [
    { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
    { action: "FailJob", onExitCodes: { containerName, operator: "In", values: [wrongConfiguration] } },
  ],
})

/**
 * The Job that applies the migrations, with the Secret of a role that may change the schema.
 * Source: Kubernetes documentation, "Jobs", "Pod failure policy".
 */
export function migrationJob(starter: Starter, request: ContainerRequest): Job {
  const container = migrationContainer("deploy", "migrations", request)
  const prefix = request.place.kind === "template" ? "{{ .Release.Name }}-" : ""
  const notes = annotations[starter]
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: `${prefix}${container.name}`, ...(notes && { annotations: { ...notes } }) },
    spec: {
      backoffLimit: 2,
      activeDeadlineSeconds: 1800,
      podFailurePolicy: failurePolicy(container.name),
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [{ ...container, terminationMessagePolicy: "FallbackToLogsOnError" }],
        },
      },
    },
  }
}
