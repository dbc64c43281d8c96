import { backfillOptions } from "../cli/backfill.js"
import { defaultText, defineCommand, type OptionTable, variableOf } from "../cli/options.js"
import type { Output } from "../cli/output.js"
import { deployOptions, projectOptions } from "../cli/shared-options.js"
import { LockstepError } from "../errors.js"
import type { ContainerRequest } from "../kubernetes/container.js"
import type { Starter } from "../kubernetes/job.js"
import { type DeployVariable, fleetSize } from "../kubernetes/values.js"
import { urlVariables } from "../project/database-url.js"

/** Who may start a Job, and what its manifest then is. */
const starters = {
  helm: "hook of a Helm chart",
  argocd: "PreSync hook of Argo CD",
  flux: "Job that Flux makes anew at every release",
  kubectl: "Job for kubectl",
} as const satisfies Readonly<Record<Starter, string>>

/** `lockstep kubernetes init-container|job|fleet-job|backfill-job|values`: what a chart or a folder of manifests needs. */
export default defineCommand({
  description: [
    "Prints what a Helm chart or a folder of manifests needs to apply the migrations before the application starts. Needs no database.",
    "Either every pod's init container deploys; or a Job does, as a role that may change the schema, and the pods' init containers only wait (init-container --wait), as the application's own role.",
  ],
  operands: [
    {
      name: "part",
      required: true,
      choices: {
        "init-container": "the init container, for the pod's template (spec.template.spec of a Deployment)",
        job: "the Job that applies the migrations before the release's pods start",
        "fleet-job":
          "the Jobs of a fleet: one for its canaries, then an Indexed Job of which each pod takes a share of the list",
        "backfill-job":
          "the Job that runs the backfills once the release's pods run; with --fleet an Indexed Job over the list",
        values: "the values that they read, with the deploy's options, for values.yaml",
      },
    },
  ],
  options: {
    for: {
      type: "choice",
      value: "tool",
      choices: ["helm", "argocd", "flux", "kubectl"],
      default: "helm",
      description: "who applies it: helm reads a template with values, the others a manifest",
      source: "command line",
    },
    wait: {
      type: "boolean",
      description: "the init container waits until a Job has applied the migrations, and changes nothing",
      source: "command line",
    },
    slim: { type: "boolean", description: "for a slim image, which has no Prisma CLI: the command is lockstep deploy" },
    hardened: {
      type: "boolean",
      description:
        "not root, nothing writable, no capabilities, limits, the deploy's options, the reason of a failure in kubectl describe",
      source: "command line",
    },
    image: {
      type: "text",
      value: "reference",
      default: "registry.example.com/shop:1.0.0",
      description: "in a manifest: the image that holds the migrations",
      source: "command line",
    },
    secret: {
      type: "text",
      value: "name",
      description: "in a manifest: the Secret whose key DATABASE_URL holds the database's URL",
      defaultDescription: "shop-database; for the Jobs shop-migrations",
      source: "command line",
    },
    fleet: {
      type: "boolean",
      description: "backfill-job: for many databases, of which each pod takes a share of the list",
      source: "command line",
    },
    targetsSecret: {
      type: "text",
      value: "name",
      default: "shop-targets",
      description: "in a fleet's manifest: the Secret whose key targets.jsonl holds the list of targets",
      source: "command line",
    },
    completions: {
      type: "count",
      default: fleetSize.completions,
      description: "in a fleet's manifest: in how many shares the list is divided",
      source: "command line",
    },
    parallelism: {
      type: "count",
      default: fleetSize.parallelism,
      description: "in a fleet's manifest: how many pods work at once",
      source: "command line",
    },
  },
  exitCodes: { 0: "printed", 1: "failed" },
  examples: [
    "lockstep kubernetes init-container --hardened",
    "lockstep kubernetes job",
    "lockstep kubernetes init-container --wait",
    "lockstep kubernetes job --for argocd --image ghcr.io/acme/shop:1.2.3 --secret shop-migrations",
    "lockstep kubernetes fleet-job --for kubectl --completions 32 --parallelism 8",
    "lockstep kubernetes backfill-job --for argocd",
    "lockstep kubernetes values",
  ],
  async run({ settings, operands: [what], output, project }) {
    for (const name of ["completions", "parallelism"] as const)
      if (settings[name] === 0)
        throw new LockstepError("L1302", `wrong setting: --${name} is 0`, {
          next: "give 1 or more: a Job of none is complete at once, and has deployed to no database",
        })
    // Also without a project, or one that cannot be loaded here, there is something to print.
    const names = await project().then(urlVariables, () => undefined)
    const variables = { deploy: variablesOf(deployOptions), backfill: variablesOf(backfillOptions) }
    const starter: Starter = settings.for
    const request = (secret: string): ContainerRequest => ({
      content: settings.slim ? "slim" : "full",
      detail: settings.hardened ? "hardened" : "plain",
      place:
        starter === "helm"
          ? { kind: "template" }
          : {
              kind: "manifest",
              image: settings.image,
              secret: settings.secret ?? secret,
              targets: settings.targetsSecret,
            },
      variables: what === "backfill-job" ? variables.backfill : variables.deploy,
      urlVariables: names,
    })
    if (what === "init-container") {
      const { initContainer, waitingInitContainer } = await import("../kubernetes/container.js")
      const part = (settings.wait ? waitingInitContainer : initContainer)(request("shop-database"))
      output.say("For the Deployment's template, below spec.template.spec. Helm does not render values.yaml itself.")
      const isStrategys = starter === "helm" && !settings.wait && !settings.hardened
      await print(
        output,
        { text: part, object: part },
        isStrategys ? "values.yaml or deployment template" : "deployment template",
      )
      return 0
    }
    if (what === "job") {
      const { migrationJob } = await import("../kubernetes/job.js")
      const job = migrationJob(starter, request("shop-migrations"))
      output.say(`A ${starters[starter]}. The pods wait for it with \`lockstep kubernetes init-container --wait\`.`)
      await print(
        output,
        { text: job, object: { job } },
        starter === "helm" ? "templates/migrate.yaml" : "migrate.yaml",
      )
      return 0
    }
    if (what === "fleet-job") {
      const { fleetJobs } = await import("../kubernetes/fleet-job.js")
      const { completions, parallelism } = settings
      const jobs = fleetJobs(starter, {
        ...request("shop-migrations"),
        ...{ completions, parallelism, canaryGroup: "canary" },
      })
      output.say("Two Jobs, the second to be started when the first is complete; helm and argocd do so by their order.")
      await print(output, { text: jobs, object: { jobs } }, starter === "helm" ? "templates/fleet.yaml" : "fleet.yaml")
      return 0
    }
    if (what === "backfill-job") {
      const { backfillJob } = await import("../kubernetes/backfill-job.js")
      const { completions, parallelism } = settings
      const shares = settings.fleet ? { completions, parallelism } : undefined
      const job = backfillJob(starter, { ...request("shop-migrations"), shares })
      output.say(
        "It starts with the release's pods, with Argo CD after them. docs/backfill.md: which release it belongs to.",
      )
      const heading = starter === "helm" ? "templates/backfill.yaml" : "backfill.yaml"
      await print(output, { text: job, object: { job } }, heading)
      return 0
    }
    const { exampleValues, renderValues } = await import("../kubernetes/values.js")
    const values = exampleValues(variables)
    output.data(renderValues(values, variables), "script")
    output.object({ schema: "lockstep.kubernetes/1", values })
    return 0
  },
})

async function print(output: Output, part: { text: object; object: object }, heading: string): Promise<void> {
  const { renderAll } = await import("../kubernetes/template.js")
  output.data(renderAll([part.text].flat(), heading), "script")
  output.object({ schema: "lockstep.kubernetes/1", ...part.object })
}

/** Decided for one deploy at a time, or by what is in the image: not for a chart. */
const notForCharts: ReadonlySet<string> = new Set([
  ...Object.keys(projectOptions),
  ...["resume", "restart", "resumeEdited"],
])

/** A command's options as environment variables with their defaults. */
function variablesOf(options: OptionTable): DeployVariable[] {
  return Object.entries(options).flatMap(([key, option]) => {
    const value = defaultText(option)
    if (notForCharts.has(key) || value === undefined) return []
    return [{ name: variableOf(key), value, help: option.description }]
  })
}
