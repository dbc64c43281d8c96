import { type ContainerRequest, migrationContainer } from "./container.js"
import { annotations, failurePolicy, type Job, type Starter } from "./job.js"
import { fleetSize, read } from "./values.js"

/** How a list of databases is divided among pods. */
export interface FleetJobRequest extends ContainerRequest {
  /** In how many shares, of which each pod takes the one of its index. */
  readonly completions: number
  /** How many pods at once. */
  readonly parallelism: number
  /** The group of targets that is deployed to first. */
  readonly canaryGroup: string
}

/** Where the Secret with the list is mounted, and what Kubernetes shows as a pod's result. */
const mount = "/targets"
const terminationLog = "/dev/termination-log"

/**
 * The Jobs of a fleet: one for the canaries, and after it an Indexed Job in which each pod takes its share of the list by
 * JOB_COMPLETION_INDEX. A pod that died is started again and finds what is done in the databases.
 * Source: Kubernetes documentation, "Jobs", "Completion mode", "Backoff limit per index".
 */
export function fleetJobs(starter: Starter, request: FleetJobRequest): readonly [canary: Job, fleet: Job] {
  const isTemplate = request.place.kind === "template"
  const group = isTemplate ? read("fleet.canaryGroup") : request.canaryGroup
  const size = isTemplate
    ? {
        ...{ completions: read("fleet.completions"), parallelism: read("fleet.parallelism") },
        backoffLimitPerIndex: read("fleet.backoffLimitPerIndex"),
        maxFailedIndexes: read("fleet.maxFailedIndexes"),
      }
    : { ...fleetSize, completions: request.completions, parallelism: request.parallelism }
  const part = (name: string, order: number, which: string): Job => {
    const notes = { ...annotations[starter], ...orderOf(starter, order) }
    return {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name: `${isTemplate ? "{{ .Release.Name }}-" : ""}${name}`,
        ...(Object.keys(notes).length > 0 && { annotations: notes }),
      },
      spec: { activeDeadlineSeconds: 3600, ...overTargets("deploy", request, { name, which }) },
    }
  }
  const canary = part("db-canary", 1, `--groups=${group}`)
  const fleet = part("db-fleet", 2, `--shards=${size.completions}`)
  return [
    { ...canary, spec: { backoffLimit: 2, ...canary.spec } },
    { ...fleet, spec: { completionMode: "Indexed", ...size, ...fleet.spec } },
  ]
}

/** The part of a Job's specification that works on targets of the list. `which`: the option that says on which. */
export function overTargets(
  program: "deploy" | "backfill",
  request: ContainerRequest,
  { name, which }: { readonly name: string; readonly which: string },
): Pick<Job["spec"], "podFailurePolicy" | "template"> {
  const { place } = request
  const { env, ...container } = migrationContainer(program, "migrations", request)
  const list = `${mount}/${place.kind === "template" ? read("fleet.secretKey") : "targets.jsonl"}`
  return {
    podFailurePolicy: failurePolicy(name),
    template: {
      spec: {
        restartPolicy: "Never",
        containers: [
          {
            ...container,
            name,
            // npx as the first process would not pass SIGTERM on.
            command: ["lockstep", program, "--targets", list, which, "--json", "--termination-log", terminationLog],
            env: env.map(optional),
            volumeMounts: [{ name: "targets", mountPath: mount, readOnly: true }],
            terminationMessagePolicy: "FallbackToLogsOnError",
          },
        ],
        volumes: [
          {
            name: "targets",
            secret: { secretName: place.kind === "template" ? read("fleet.secretName") : place.targets },
          },
        ],
      },
    },
  }
}

type Variable = Job["spec"]["template"]["spec"]["containers"][number]["env"][number]

/** The URL is for targets that have none of their own: a list may do without it. */
const optional = (variable: Variable): Variable =>
  "valueFrom" in variable
    ? { ...variable, valueFrom: { secretKeyRef: { ...variable.valueFrom.secretKeyRef, optional: true } } }
    : variable

function orderOf(starter: Starter, order: number): Readonly<Record<string, string>> {
  if (starter === "helm") return { "helm.sh/hook-weight": String(order) }
  return starter === "argocd" ? { "argocd.argoproj.io/sync-wave": String(order) } : {}
}
