import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parse, parseAllDocuments } from "yaml"
import * as z from "zod/mini"
import { repository } from "../support/cli.js"
import { deploymentAround, kubernetes, renderChart } from "./chart.js"
import { findSchemas, minors } from "./schemas.js"
import { findTools } from "./tools.js"

const tools = await findTools()
const validate = await findSchemas()
const version = (chart: string): unknown =>
  parse(readFileSync(join(repository, "charts", chart, "Chart.yaml"), "utf8")).version

test("the library has the package's version, and the example asks for it", () => {
  const { version: packaged } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"))
  expect(version("lockstep")).toBe(packaged)
  const example = parse(readFileSync(join(repository, "charts/example/Chart.yaml"), "utf8"))
  expect(example.dependencies).toEqual([{ name: "lockstep", version: packaged, repository: "file://../lockstep" }])
})

describe.skipIf(!tools)("the example chart, rendered with the real helm", () => {
  if (!tools) return
  let charts: string
  beforeAll(async () => {
    charts = mkdtempSync(join(tmpdir(), "lockstep-charts-"))
    cpSync(join(repository, "charts"), charts, { recursive: true })
    await execa(tools.helm, ["dependency", "build", join(charts, "example")])
  })
  afterAll(() => rmSync(charts, { recursive: true }))

  const render = async (values: object = {}): Promise<readonly Rendered[]> => {
    const file = join(charts, "values.json")
    writeFileSync(file, JSON.stringify(values))
    const { stdout } = await execa(tools.helm, ["template", "shop", join(charts, "example"), "--values", file])
    return parseAllDocuments(stdout).map((document) => document.toJS() as Rendered)
  }
  const template = async (values?: object): Promise<Record<string, Rendered>> =>
    Object.fromEntries((await render(values)).map((object) => [object.kind, object]))

  test("helm lint --strict has nothing to say about either chart", async () => {
    await execa(tools.helm, ["lint", "--strict", join(charts, "lockstep"), join(charts, "example")])
  })

  test("the Job, the waiting and the deploying init container are those that lockstep kubernetes prints", async () => {
    const text = await kubernetes("values")
    const { image, database, migrations } = parse(text)
    const lockstep = { image, database, migrations }
    const byJob = await template({ lockstep })
    const byPods = await template({ lockstep, migrateIn: "init" })
    const [job] = await renderChart(tools, await kubernetes("job", "--hardened"), text)
    expect(sorted(byJob.Job)).toMatchObject(Object(sorted(job)))
    for (const [rendered, flags] of [
      [byJob, ["--wait"]],
      [byPods, []],
    ] as const) {
      const snippet = await kubernetes("init-container", "--hardened", ...flags)
      const [deployment] = await renderChart(tools, deploymentAround(snippet), text)
      const { env, ...expected } = initContainerOf(deployment)
      const found = initContainerOf(rendered.Deployment)
      expect(found).toMatchObject(expected)
      expect(found.env).toEqual(expect.arrayContaining(env))
    }
    expect(byPods.Job, "pods that deploy need no Job").toBeUndefined()
  })

  test("the fleet's Jobs are those that lockstep kubernetes prints, the canaries' first", async () => {
    const text = await kubernetes("values")
    const { image, database, migrations, fleet } = parse(text)
    const found = await render({ migrateIn: "fleet", lockstep: { image, database, migrations, fleet } })
    const jobs = found.filter(({ kind }) => kind === "Job").map(sorted)
    const printed = await renderChart(tools, await kubernetes("fleet-job", "--hardened"), text)
    expect(jobs).toMatchObject(printed.map((job) => Object(sorted(job))))
    expect(jobs).toHaveLength(2)
  })

  test("the backfills' Jobs are those that lockstep kubernetes prints, and only where they are asked for", async () => {
    const text = await kubernetes("values")
    const { image, database, migrations, fleet, backfill } = parse(text)
    const lockstep = { image, database, migrations, fleet, backfill }
    const named = async (values: object) =>
      (await render({ ...values, lockstep }))
        .filter((object) => JSON.stringify(object).includes("db-backfill"))
        .map(sorted)
    for (const [migrateIn, flags] of [
      ["init", []],
      ["fleet", ["--fleet"]],
    ] as const) {
      const printed = await renderChart(tools, await kubernetes("backfill-job", "--hardened", ...flags), text)
      expect(await named({ migrateIn, backfill: true })).toMatchObject(printed.map((job) => Object(sorted(job))))
      expect(await named({ migrateIn })).toEqual([])
    }
  })

  test("rights apart: the Job alone has the Secret that may change the schema", async () => {
    const objects = await template()
    const withSecret = (name: string) =>
      Object.values(objects).flatMap((object) => (JSON.stringify(object).includes(`"${name}"`) ? [object.kind] : []))
    expect(withSecret("shop-migrations")).toEqual(["Job"])
    expect(withSecret("shop-database").sort()).toEqual(["Deployment", "Pod"])
  })

  test("one Secret is enough where none is named for the Job", async () => {
    const { Job } = await template({ lockstep: { migrations: { secretName: "" } } })
    expect(JSON.stringify(Job)).toContain('"secretKeyRef":{"name":"shop-database","key":"DATABASE_URL"}')
  })

  test.each([
    ["a name that does not exist", { lockstep: { databse: {} } }, /databse/],
    ["an option that is none of Lockstep's", { lockstep: { migrations: { env: { PATH: "/" } } } }, /PATH/],
    ["an option of backfills that is none", { lockstep: { backfill: { env: { BATCH: "5" } } } }, /BATCH/],
    ["a time without a meaning", { lockstep: { wait: { timeout: "soon" } } }, /timeout/],
    ["no image", { lockstep: { image: { repository: "" } } }, /lockstep\.image\.repository: name the image/],
    ["no Secret", { lockstep: { database: { secretName: "" } } }, /lockstep\.database\.secretName: name the Secret/],
  ])("%s is refused", async (_, values, reason) => {
    await expect(template(values)).rejects.toThrow(reason)
  })

  test("a long release name leaves room for what Kubernetes appends", async () => {
    const { stdout } = await execa(tools.helm, ["template", "a".repeat(53), join(charts, "example")])
    const names = parseAllDocuments(stdout).map((document) => String(document.getIn(["metadata", "name"])))
    expect(Math.max(...names.map((name) => name.length))).toBeLessThanOrEqual(57)
  })

  describe.skipIf(!validate)("by Kubernetes' own OpenAPI", () => {
    if (!validate) return
    const everything = {
      lockstep: {
        imagePullSecrets: [{ name: "registry" }],
        migrations: {
          serviceAccountName: "migrations",
          podLabels: { team: "shop" },
          podAnnotations: { "sidecar.istio.io/inject": "false" },
          nodeSelector: { "kubernetes.io/os": "linux" },
          tolerations: [{ key: "dedicated", operator: "Exists" }],
          env: { LOCKSTEP_RETRIES: 3, LOCKSTEP_STRICT: false },
        },
      },
    }

    test.each(minors)("%s knows every field, with every value set and with none", async (minor) => {
      const fleet = { ...everything, migrateIn: "fleet", backfill: true }
      for (const values of [everything, {}, { migrateIn: "init", backfill: true }, fleet])
        for (const object of await render(values)) expect(validate(object, minor)).toEqual([])
    })

    test("what the command prints is valid as well; a misspelt field or a wrong type is not", async () => {
      const rendered = await renderChart(tools, await kubernetes("job", "--hardened"), await kubernetes("values"))
      const manifest = parse(await kubernetes("job", "--for", "argocd", "--hardened"))
      const fleet = parseAllDocuments(await kubernetes("fleet-job", "--for", "kubectl")).map((one) => one.toJS())
      const backfills = await Promise.all(
        [[], ["--fleet"]].map(async (flags) => parse(await kubernetes("backfill-job", "--for", "argocd", ...flags))),
      )
      for (const object of [...rendered, manifest, ...fleet, ...backfills])
        for (const minor of minors) expect(validate(object, minor)).toEqual([])
      const misspelt = { ...manifest, spec: { ...manifest.spec, activeDeadlineSecond: 3 } }
      expect(validate(misspelt, "1.37")).not.toEqual([])
      expect(validate({ ...manifest, spec: { ...manifest.spec, backoffLimit: "2" } }, "1.37")).not.toEqual([])
    })
  })
})

interface Rendered {
  readonly kind: string
}

const withInitContainer = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({ initContainers: z.tuple([z.looseObject({ env: z.array(z.unknown()) })]) }),
    }),
  }),
})

const initContainerOf = (object: unknown) => z.parse(withInitContainer, object).spec.template.spec.initContainers[0]

/** With its environment's variables in the order of their names, as Helm goes through a map. */
const sorted = (object: unknown): unknown =>
  JSON.parse(JSON.stringify(object), (key, value) =>
    key === "env"
      ? value.toSorted((one: { name: string }, other: { name: string }) => (one.name < other.name ? -1 : 1))
      : value,
  )
