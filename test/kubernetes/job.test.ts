import { describe, expect, test } from "vitest"
import * as z from "zod/mini"
import { backfillJob } from "../../src/kubernetes/backfill-job.js"
import type { ContainerRequest } from "../../src/kubernetes/container.js"
import { waitingInitContainer } from "../../src/kubernetes/container.js"
import { fleetJobs } from "../../src/kubernetes/fleet-job.js"
import { failurePolicy, jobSchema, migrationJob } from "../../src/kubernetes/job.js"
import { repository } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"

const inChart: ContainerRequest = { content: "full", detail: "plain", place: { kind: "template" }, variables: [] }
const inManifest: ContainerRequest = {
  ...inChart,
  place: { kind: "manifest", image: "ghcr.io/acme/shop:2", secret: "shop-migrations", targets: "shop-targets" },
}
const kubernetes = (...args: string[]) => lockstep(["kubernetes", ...args], { cwd: repository })

describe("the Jobs of a fleet", () => {
  const size = { completions: 32, parallelism: 8, canaryGroup: "canary" }
  const [canary, fleet] = fleetJobs("argocd", { ...inManifest, ...size })

  test("each pod takes the share of its index; one that fails is started again alone, and its failures are counted", () => {
    expect(fleet.spec).toMatchObject({
      ...{ completionMode: "Indexed", completions: 32, parallelism: 8, backoffLimitPerIndex: 2, maxFailedIndexes: 0 },
      podFailurePolicy: failurePolicy("db-fleet"),
    })
    expect(fleet.spec).not.toHaveProperty("backoffLimit")
    const [container] = fleet.spec.template.spec.containers
    expect(container?.command.join(" ")).toBe(
      "lockstep deploy --targets /targets/targets.jsonl --shards=32 --json --termination-log /dev/termination-log",
    )
  })

  test("the canaries come before, in a Job of their own", () => {
    expect(canary.spec).not.toHaveProperty("completionMode")
    expect(canary.spec.template.spec.containers[0]?.command.join(" ")).toContain("--groups=canary")
    const waves = [canary, fleet].map(({ metadata }) => metadata.annotations?.["argocd.argoproj.io/sync-wave"])
    expect(waves).toEqual(["1", "2"])
    const weights = fleetJobs("helm", { ...inChart, ...size }).map(
      ({ metadata }) => metadata.annotations?.["helm.sh/hook-weight"],
    )
    expect(weights).toEqual(["1", "2"])
  })

  test("the list is a Secret's file; the Secret with a URL is for lists whose targets have none", () => {
    const { containers, volumes } = fleet.spec.template.spec
    expect(volumes).toEqual([{ name: "targets", secret: { secretName: "shop-targets" } }])
    expect(containers[0]?.volumeMounts).toEqual([{ name: "targets", mountPath: "/targets", readOnly: true }])
    expect(JSON.stringify(containers[0]?.env[0])).toContain('"optional":true')
  })

  test("are printed one after the other, and --json prints both", async () => {
    const { stdout } = await kubernetes("fleet-job", "--json", "--for", "kubectl", "--completions", "3")
    const { jobs } = JSON.parse(stdout)
    expect(z.parse(z.array(jobSchema), jobs).map(({ metadata }) => metadata.name)).toEqual(["db-canary", "db-fleet"])
    expect(jobs[1].spec.completions).toBe(3)
  })

  test("none of no pods, which would be complete without having deployed to any database", async () => {
    for (const option of ["--completions", "--parallelism"]) {
      const refused = await kubernetes("fleet-job", "--for", "kubectl", option, "0")
      expect(refused).toMatchObject({ exitCode: 2, stdout: "" })
      expect(refused.stderr).toContain(`error[L1302]: wrong setting: ${option} is 0`)
    }
  })
})

describe("the Job of backfills", () => {
  test("is no hook that Helm would wait for, and has a name of its own at every release", () => {
    const { metadata, spec } = backfillJob("helm", { ...inChart, shares: undefined })
    expect(metadata).toEqual({ name: "{{ .Release.Name }}-db-backfill-{{ .Release.Revision }}" })
    expect(spec).toMatchObject({ backoffLimit: 6, podFailurePolicy: failurePolicy("db-backfill") })
    expect(spec.template.spec.containers[0]?.command, "SIGTERM reaches it").toEqual(["lockstep", "backfill"])
  })

  test("Argo CD starts it when the pods are healthy", () => {
    const { metadata } = backfillJob("argocd", { ...inManifest, shares: undefined })
    expect(metadata.annotations).toMatchObject({ "argocd.argoproj.io/hook": "PostSync" })
  })

  test("of a fleet each pod takes the share of its index", () => {
    const { spec } = backfillJob("kubectl", { ...inManifest, shares: { completions: 8, parallelism: 2 } })
    expect(spec).toMatchObject({ completionMode: "Indexed", completions: 8, parallelism: 2, backoffLimitPerIndex: 2 })
    expect(spec.template.spec.containers[0]?.command.join(" ")).toBe(
      "lockstep backfill --targets /targets/targets.jsonl --shards=8 --json --termination-log /dev/termination-log",
    )
  })

  test("hardened it has the backfill's options", async () => {
    const { stdout } = await kubernetes("backfill-job", "--hardened", "--json")
    const [container] = z.parse(jobSchema, JSON.parse(stdout).job).spec.template.spec.containers
    const names = container?.env.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(["LOCKSTEP_BATCH_TIME", "LOCKSTEP_MAX_LAG", "LOCKSTEP_LOCK_WAIT"]))
    expect(names).not.toContain("LOCKSTEP_STRICT")
  })
})

test("the Job's Secret is not the one that the pods wait with", () => {
  const [job] = migrationJob("helm", inChart).spec.template.spec.containers
  const [pod] = waitingInitContainer(inChart).initContainers
  const secretOf = (container = job) => JSON.stringify(container?.env.find(({ name }) => name === "DATABASE_URL"))
  expect(secretOf(job)).toContain(".Values.migrations.secretName")
  expect(secretOf(pod)).toContain(".Values.database.secretName")
  expect(pod?.image).toBe(job?.image)
})

test("an eviction is no attempt, a wrong configuration is not attempted again", () => {
  const { podFailurePolicy, template } = migrationJob("helm", inChart).spec
  expect(template.spec.restartPolicy, "Kubernetes accepts a failure policy with no other").toBe("Never")
  expect(podFailurePolicy.rules).toEqual([
    { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
    { action: "FailJob", onExitCodes: { containerName: "db-migrate", operator: "In", values: [2] } },
  ])
})

test("the reason of a failure is in kubectl describe, hardened or not", () => {
  for (const detail of ["plain", "hardened"] as const) {
    const [container] = migrationJob("helm", { ...inChart, detail }).spec.template.spec.containers
    expect(container?.terminationMessagePolicy).toBe("FallbackToLogsOnError")
  }
})

describe("started by", () => {
  test.each([
    ["helm", "helm.sh/hook", "pre-install,pre-upgrade"],
    ["argocd", "argocd.argoproj.io/hook", "PreSync"],
    ["flux", "kustomize.toolkit.fluxcd.io/force", "enabled"],
  ] as const)("%s it runs before the pods, at every release", (starter, annotation, value) => {
    expect(migrationJob(starter, inManifest).metadata.annotations).toMatchObject({ [annotation]: value })
  })

  test("kubectl it is a Job like any other", () => {
    expect(migrationJob("kubectl", inManifest).metadata).toEqual({ name: "db-migrate" })
  })
})

describe("lockstep kubernetes job", () => {
  test("--json prints the object, in which no field is unknown", async () => {
    const { stdout, exitCode } = await kubernetes("job", "--json")
    const { schema, job } = JSON.parse(stdout)
    expect({ schema, exitCode }).toEqual({ schema: "lockstep.kubernetes/1", exitCode: 0 })
    expect(z.parse(jobSchema, job)).toEqual(migrationJob("helm", inChart))
  })

  test("a manifest holds what was said, and no expression", async () => {
    const { stdout } = await kubernetes("job", "--for", "argocd", "--hardened", "--image", "ghcr.io/acme/shop:2")
    expect(stdout).toContain("image: ghcr.io/acme/shop:2\n")
    expect(stdout).toContain('            - name: LOCKSTEP_RETRIES\n              value: "10"\n')
    expect(stdout).not.toContain("{{")
  })

  test("says on stderr what it prints, and how the pods wait for it", async () => {
    const { stderr } = await kubernetes("job", "--for", "flux")
    expect(stderr).toMatch(/Flux.*kubernetes init-container --wait/)
  })
})
