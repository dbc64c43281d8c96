import { readFileSync } from "node:fs"
import { join } from "node:path"
import { execa } from "execa"
import { describe, expect, test } from "vitest"
import { parseAllDocuments } from "yaml"
import { repository } from "../support/cli.js"
import { deploymentAround, kubernetes, renderChart, throughKubectl } from "./chart.js"
import { findTools } from "./tools.js"

const tools = await findTools()
const document = readFileSync(join(repository, "docs/kubernetes.md"), "utf8")
const fences = (language: string): string[] =>
  [...document.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, text]) => text ?? "")

const plain = await kubernetes("init-container")
const hardened = await kubernetes("init-container", "--hardened")
const values = await kubernetes("values")
const waiting = await kubernetes("init-container", "--wait")
const job = await kubernetes("job")
const fleet = await kubernetes("fleet-job", "--for", "kubectl")
const backfill = await kubernetes("backfill-job")
const argocd = await kubernetes("job", "--for", "argocd")

const snippets = fences("yaml")
const byHand = (text: string) => /^# (templates\/deployment|Chart|flux\/)/.test(text)

test("what the document shows as the command's output is its output", () => {
  const shown = snippets.filter((text) => !byHand(text))
  const printed = [plain, hardened, values, job, waiting, fleet, backfill, argocd]
  expect(shown, "replace the block by what lockstep kubernetes prints").toEqual(printed)
})

test("what the document shows for Flux are two objects, the second depending on the first", () => {
  const flux = snippets.filter((text) => text.startsWith("# flux/")).flatMap((text) => parseAllDocuments(text))
  const [first, second, ...others] = flux.map((one) => one.toJS())
  expect(others).toEqual([])
  expect(second.spec.dependsOn).toEqual([{ name: first.metadata.name }])
})

describe.skipIf(!tools)("rendered with the real helm and read with kubectl's own types", () => {
  if (!tools) return
  const titled = (text: string): [string, string] => [text.split("\n", 1)[0] ?? "", text]

  test.each([
    ["the plain init container", deploymentAround(plain)],
    ["the hardened init container", deploymentAround(hardened)],
    ["the init container that waits", deploymentAround(waiting)],
    ["the Job", job],
    ["the Job of backfills", backfill],
    ["the Job for Argo CD", argocd],
    ...snippets.filter((text) => text.startsWith("# templates/deployment")).map(titled),
  ])("%s", async (_, template) => {
    const [object, ...others] = await renderChart(tools, template, values)
    expect(others).toEqual([])
    expect(await throughKubectl(tools, object)).toMatchObject(Object(object))
    expect(JSON.stringify(object)).not.toMatch(/\{\{|<no value>/)
  })

  test("the values reach the container", async () => {
    const [object] = await renderChart(tools, deploymentAround(hardened), values)
    expect(object).toMatchObject({
      spec: {
        template: {
          spec: {
            initContainers: [
              {
                image: "registry.example.com/shop:1.0.0",
                command: ["npx", "prisma", "migrate", "deploy"],
                env: expect.arrayContaining([
                  {
                    name: "DATABASE_URL",
                    valueFrom: { secretKeyRef: { name: "shop-database", key: "DATABASE_URL" } },
                  },
                  { name: "LOCKSTEP_RETRIES", value: "10" },
                  { name: "LOCKSTEP_STRICT", value: "false" },
                ]),
              },
            ],
          },
        },
      },
    })
  })

  test("options written as numbers and booleans still arrive as text", async () => {
    const bare = values.replaceAll('"', "")
    const [object] = await renderChart(tools, deploymentAround(hardened), bare)
    expect(await throughKubectl(tools, object)).toMatchObject(Object(object))
    expect(JSON.stringify(object)).toContain('{"name":"LOCKSTEP_RETRIES","value":"10"}')
  })

  test("a field that Kubernetes does not know would be noticed", async () => {
    const misspelt = deploymentAround(hardened.replace("readOnlyRootFilesystem", "readOnlyRootFileSystem"))
    const [object] = await renderChart(tools, misspelt, values)
    expect(await throughKubectl(tools, object)).not.toMatchObject(Object(object))
  })

  test("in values.yaml the snippet is a syntax error, as the document says", async () => {
    await expect(renderChart(tools, deploymentAround(plain), `${values}${plain}`)).rejects.toThrow(/values\.yaml/)
  })

  test("the Secret's command makes the key that the values name, with the URL as it was piped in", async () => {
    const command = fences("bash").find((text) => text.includes("kubectl create secret"))
    if (!command) throw new Error("the document shows how to create the Secret")
    const script = command.replace("kubectl", `"$KUBECTL"`).trimEnd()
    const url = "postgresql://app:p%40ss@db.internal:5432/shop"
    const { stdout } = await execa("bash", ["-c", `${script} --dry-run=client --output=json`], {
      env: { KUBECTL: tools.kubectl, DATABASE_URL: url, KUBECONFIG: "/dev/null" },
    })
    const secret = JSON.parse(stdout)
    expect(secret.metadata.name).toBe("shop-database")
    expect(Buffer.from(secret.data.DATABASE_URL, "base64").toString()).toBe(url)
  })
})
