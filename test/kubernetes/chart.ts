import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import { onTestFinished } from "vitest"
import { parseAllDocuments } from "yaml"
import { repository } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import type { Tools } from "./tools.js"

/** What `lockstep kubernetes` prints, as a file holds it. */
export const kubernetes = async (...args: string[]): Promise<string> =>
  `${(await lockstep(["kubernetes", ...args], { cwd: repository })).stdout}\n`

const manifest = "apiVersion: v2\nname: shop\nversion: 0.1.0\n"

/** Renders a chart of one template with the real helm, linted; answers its objects. Rejects with helm's own words. */
export async function renderChart({ helm }: Tools, template: string, values: string): Promise<unknown[]> {
  const chart = mkdtempSync(join(tmpdir(), "lockstep-chart-"))
  onTestFinished(() => rmSync(chart, { recursive: true }))
  mkdirSync(join(chart, "templates"))
  writeFileSync(join(chart, "Chart.yaml"), manifest)
  writeFileSync(join(chart, "values.yaml"), values)
  writeFileSync(join(chart, "templates/all.yaml"), template)
  await execa(helm, ["lint", "--strict", chart])
  const { stdout } = await execa(helm, ["template", "shop", chart])
  return parseAllDocuments(stdout).map((document) => document.toJS())
}

/** A Deployment's template around a part of its pod. */
export const deploymentAround = (podPart: string): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      containers: [{ name: app, image: app }]
${podPart.replace(/^(?=.)/gm, "      ")}
`

/**
 * Passes an object through kubectl's own Kubernetes types: a wrong type rejects, and what Kubernetes does not know is
 * missing from the answer. Needs no cluster.
 */
export async function throughKubectl({ kubectl }: Tools, object: unknown): Promise<unknown> {
  const { stdout } = await execa(
    kubectl,
    ["set", "serviceaccount", "--local", "--filename", "-", "--output", "json", "checked"],
    { input: JSON.stringify(object), env: { KUBECONFIG: "/dev/null" } },
  )
  return JSON.parse(stdout)
}
