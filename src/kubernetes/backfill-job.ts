import { type ContainerRequest, migrationContainer } from "./container.js"
import { overTargets } from "./fleet-job.js"
import { annotations, failurePolicy, type Job, type Starter } from "./job.js"
import { fleetSize, read } from "./values.js"

/** Backfills of one database, or with `shares` of a fleet, divided among pods. */
export interface BackfillJobRequest extends ContainerRequest {
  readonly shares: { readonly completions: number; readonly parallelism: number } | undefined
}

/** With Kubernetes' growing delays ten minutes: until the migration that a backfill comes after is applied. */
const backoffLimit = 6

/** A day, and a week. */
const longest = { activeDeadlineSeconds: 86_400, ttlSecondsAfterFinished: 604_800 } as const

/**
 * The Job that runs the backfills of a release. It is no hook of Helm's, which waits for its hooks and fails a release
 * whose hook takes longer than a few minutes; as a Job cannot be changed, each release has one of its own name, and Helm
 * removes the one before, whose place it takes. Argo CD starts it when the pods are healthy.
 * Sources: Helm, "Chart Hooks"; Argo CD, "Sync Phases and Waves"; Kubernetes documentation, "Jobs".
 */
export function backfillJob(starter: Starter, request: BackfillJobRequest): Job {
  const { shares, place } = request
  const container = migrationContainer("backfill", "migrations", request)
  const { name } = container
  const isTemplate = place.kind === "template"
  const notes = starter === "helm" ? undefined : starter === "argocd" ? postSync : annotations[starter]
  const metadata = {
    name: isTemplate ? `{{ .Release.Name }}-${name}-{{ .Release.Revision }}` : name,
    ...(notes && { annotations: { ...notes } }),
  }
  if (shares === undefined) {
    const pod = { restartPolicy: "Never" as const, containers: [container] }
    return {
      ...{ apiVersion: "batch/v1", kind: "Job", metadata },
      spec: { backoffLimit, ...longest, podFailurePolicy: failurePolicy(name), template: { spec: withReason(pod) } },
    }
  }
  const size = isTemplate
    ? {
        ...{ completions: read("fleet.completions"), parallelism: read("fleet.parallelism") },
        backoffLimitPerIndex: read("fleet.backoffLimitPerIndex"),
        maxFailedIndexes: read("fleet.maxFailedIndexes"),
      }
    : { ...fleetSize, ...shares }
  return {
    ...{ apiVersion: "batch/v1", kind: "Job", metadata },
    spec: {
      ...{ completionMode: "Indexed", ...size, ...longest },
      ...overTargets("backfill", request, { name, which: `--shards=${size.completions}` }),
    },
  }
}

const postSync = {
  "argocd.argoproj.io/hook": "PostSync",
  "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
} as const

type Pod = Job["spec"]["template"]["spec"]

/** The reason of a failure is in `kubectl describe`. */
const withReason = ({ containers, ...pod }: Pod): Pod => ({
  ...pod,
  containers: containers.map((one) => ({ ...one, terminationMessagePolicy: "FallbackToLogsOnError" })),
})
