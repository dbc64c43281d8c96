import { describe, expect, test } from "vitest"
import * as z from "zod/mini"
import {
  type ContainerRequest,
  initContainer,
  podPartSchema,
  waitingInitContainer,
} from "../../src/kubernetes/container.js"
import { renderTemplate } from "../../src/kubernetes/template.js"
import { exampleValues, renderValues, valuesSchema } from "../../src/kubernetes/values.js"
import { repository } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createProject } from "../support/project.js"

/** Copied from the migration strategy, "Kubernetes Deployment", "Helm Chart Configuration". */
const strategy = `# values.yaml or deployment template
initContainers:
  - name: db-migrate
    image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
    command: ["npx", "prisma", "migrate", "deploy"]
    env:
      - name: DATABASE_URL
        valueFrom:
          secretKeyRef:
            name: {{ .Values.database.secretName }}
            key: {{ .Values.database.secretKey }}
`

const kubernetes = (...args: string[]) => lockstep(["kubernetes", ...args], { cwd: repository })
const variables = [{ name: "LOCKSTEP_RETRIES", value: "10", help: "how often to try again" }]
const request = { content: "full", detail: "plain", place: { kind: "template" }, variables } as const
const hardenedRequest: ContainerRequest = { ...request, detail: "hardened" }

describe("lockstep kubernetes init-container", () => {
  test("prints the strategy's snippet, character for character", async () => {
    const { stdout, exitCode } = await kubernetes("init-container")
    expect(`${stdout}\n`).toBe(strategy)
    expect(exitCode).toBe(0)
  })

  test.each([
    [
      "a schema of Prisma 6",
      {
        schema:
          'datasource db {\n  provider = "postgresql"\n  url = env("SHOP_POOL")\n  directUrl = env("SHOP_DIRECT")\n}\n',
      },
      ["SHOP_DIRECT", "SHOP_POOL"],
    ],
    [
      "prisma.config",
      { files: { "prisma.config.mjs": "export default { datasource: { url: process.env.SHOP_URL } }" } },
      ["SHOP_URL"],
    ],
    ["nothing", {}, ["DATABASE_URL"]],
  ])("gives the URL to the variables that %s names", async (_, files, names) => {
    const { root } = createProject(files)
    const { stdout } = await lockstep(["kubernetes", "init-container", "--json"], { cwd: root })
    const { env } = JSON.parse(stdout).initContainers[0]
    expect(env.map(({ name }: { name: string }) => name)).toEqual(names)
  })

  test("prints on stderr where the snippet belongs, so that stdout can be piped", async () => {
    const { stderr } = await kubernetes("init-container")
    expect(stderr).toContain("spec.template.spec")
  })

  test("--json prints the same object as the text", async () => {
    const { stdout } = await kubernetes("init-container", "--json")
    expect(JSON.parse(stdout)).toEqual({ schema: "lockstep.kubernetes/1", ...initContainer(request) })
  })

  test("for a slim image, which has no Prisma CLI, it runs Lockstep's own command", async () => {
    for (const flags of [["--slim"], ["--slim", "--hardened"]])
      expect((await kubernetes("init-container", ...flags)).stdout).toContain('    command: ["lockstep", "deploy"]\n')
  })

  test("a project that says so in package.json need not say it again", async () => {
    const { root } = createProject({ files: { "package.json": '{ "lockstep": { "slim": true } }' } })
    const { stdout } = await lockstep(["kubernetes", "init-container"], { cwd: root })
    expect(stdout).toContain('command: ["lockstep", "deploy"]')
  })

  test("both variants hold nothing but known fields of a container", async () => {
    for (const flags of [[], ["--hardened"]]) {
      const { schema, ...part } = JSON.parse((await kubernetes("init-container", "--json", ...flags)).stdout)
      expect(schema).toBe("lockstep.kubernetes/1")
      z.parse(podPartSchema, part)
    }
  })
})

describe("the hardened variant", () => {
  const [plain] = initContainer(request).initContainers
  const [hardened] = initContainer(hardenedRequest).initContainers

  test("runs the same command in the same image with the same URL", () => {
    expect(hardened).toMatchObject({ name: plain?.name, image: plain?.image, command: plain?.command })
    expect(hardened?.env[0]).toEqual(plain?.env[0])
  })

  test("meets the restricted Pod Security Standard and more", () => {
    expect(hardened?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    })
  })

  test("has requests and limits, and hands the reason of a failure to kubectl describe", () => {
    expect(Object.keys(hardened?.resources ?? {})).toEqual(["requests", "limits"])
    expect(hardened?.terminationMessagePolicy).toBe("FallbackToLogsOnError")
  })

  test("quotes the deploy's options in the template, because an environment variable has to be text", () => {
    const text = renderTemplate(initContainer(hardenedRequest), "deployment template")
    expect(text).toContain("        value: {{ .Values.migrations.env.LOCKSTEP_RETRIES | quote }}\n")
  })
})

describe("the init container that waits", () => {
  const [waiting] = waitingInitContainer(hardenedRequest).initContainers

  test("runs nothing but the wait, with the application's own Secret, hardened alike", () => {
    expect(waiting?.command).toEqual(["npx", "lockstep", "wait", "--applied"])
    expect(waiting?.env).toEqual(initContainer(request).initContainers[0]?.env)
    expect(waiting?.securityContext).toEqual(initContainer(hardenedRequest).initContainers[0]?.securityContext)
  })

  test("is printed by --wait", async () => {
    const { stdout } = await kubernetes("init-container", "--wait", "--slim", "--json")
    expect(JSON.parse(stdout)).toEqual({
      schema: "lockstep.kubernetes/1",
      ...waitingInitContainer({ ...request, content: "slim" }),
    })
  })
})

describe("lockstep kubernetes values", () => {
  test("holds every value that the printed parts read", async () => {
    const { values } = JSON.parse((await kubernetes("values", "--json")).stdout)
    const known = z.parse(valuesSchema, values)
    const parts = await Promise.all([kubernetes("init-container", "--hardened"), kubernetes("job", "--hardened")])
    const text = parts.map(({ stdout }) => stdout).join()
    const paths = [...text.matchAll(/\.Values\.([\w.]+)/g)].map(([, path]) => path?.split(".") ?? [])
    expect(paths.length).toBeGreaterThan(4)
    for (const path of paths) {
      const found = path.reduce<unknown>(
        (at, key) => Object.entries(at ?? {}).find(([name]) => name === key)?.[1],
        known,
      )
      expect(found, path.join(".")).toEqual(expect.any(String))
    }
  })

  test("the deploy's options are those of lockstep deploy, with its defaults", async () => {
    const { values } = JSON.parse((await kubernetes("values", "--json")).stdout)
    const { stdout: help } = await lockstep(["deploy", "--help"], { cwd: repository })
    const words = help.replace(/\s+/g, " ")
    for (const [name, value] of Object.entries(z.parse(valuesSchema, values).migrations.env)) {
      expect(words).toContain(value === "false" ? `(env: ${name})` : `default: ${value}; env: ${name})`)
    }
  })

  test("explains each option in a comment and keeps numbers text", () => {
    const options = { deploy: variables, backfill: [] }
    const text = renderValues(exampleValues(options), options)
    expect(text).toContain('    # how often to try again\n    LOCKSTEP_RETRIES: "10"')
  })
})

test("another word is wrong usage", async () => {
  const { exitCode, stderr } = await kubernetes("chart")
  expect(exitCode).toBe(2)
  expect(stderr).toMatch(
    /^error\[L1301\]: .*'chart' is invalid.* Allowed choices are init-container, job, fleet-job, backfill-job, values/,
  )
})
