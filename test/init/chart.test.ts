import { expect, test } from "vitest"
import { parse } from "yaml"
import { proposeChart } from "../../src/init/chart.js"
import { addToYaml } from "../../src/init/yaml-text.js"
import { run } from "./repositories.js"

/** As `helm create` makes it, in short. */
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "shop.fullname" . }}
spec:
  template:
    spec:
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          ports:
            - containerPort: 80
`
const values = `# Default values for shop.
image:
  repository: nginx # the registry's
  tag: ""

# Traffic
service: {type: ClusterIP, port: 80}
`
const chart = {
  "chart/shop/Chart.yaml": "name: shop\n",
  "chart/shop/values.yaml": values,
  "chart/shop/templates/deployment.yaml": deployment,
}

test("the init container has the variables that the project names for its database", () => {
  const { after } = run(proposeChart, chart, {}, { variables: ["SHOP_DIRECT", "SHOP_POOL"] })
  const names = after["chart/shop/templates/deployment.yaml"]?.match(/- name: SHOP_\w+/g)
  expect(names).toEqual(["- name: SHOP_DIRECT", "- name: SHOP_POOL"])
})

test("the Deployment gets the init container, with the application's own image, and the values its Secret", () => {
  const { after, again } = run(proposeChart, chart)
  const template = after["chart/shop/templates/deployment.yaml"] ?? ""
  const block = template.slice(template.indexOf("      initContainers:"), template.indexOf("      containers:"))
  expect(template.replace(block, "")).toBe(deployment)
  expect(parse(block.replaceAll(/: \{\{.*\}\}$/gm, ": x"))).toMatchObject({
    initContainers: [
      {
        name: "db-migrate",
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}",
        command: ["npx", "prisma", "migrate", "deploy"],
      },
    ],
  })
  const text = after["chart/shop/values.yaml"] ?? ""
  expect(text.startsWith(values)).toBe(true)
  expect(parse(text)).toMatchObject({ database: { secretName: "shop-database", secretKey: "DATABASE_URL" } })
  expect(again).toEqual([])
})

test("a project whose migration image is slim gets the command that the image has", () => {
  const slim = { ...chart, "package.json": '{ "lockstep": { "slim": true } }' }
  expect(run(proposeChart, slim).after["chart/shop/templates/deployment.yaml"]).toContain('["lockstep", "deploy"]')
})

test("values that are there stay, and only what is missing among them is added", () => {
  const own = `${values}database:\n    secretName: mine # by hand\n\nother: 1\n`
  const { after } = run(proposeChart, { ...chart, "chart/shop/values.yaml": own })
  expect(after["chart/shop/values.yaml"]).toBe(own.replace("# by hand\n", "# by hand\n    secretKey: DATABASE_URL\n"))
})

test.each([
  ["runs the migrations already", 'command: ["npx", "prisma", "migrate", "deploy"]', []],
  ["has init containers of its own", "      initContainers:\n", [expect.stringContaining("kubernetes init-container")]],
])("a chart that %s stays as it is", (_, line, notes) => {
  const files = { ...chart, "chart/shop/templates/deployment.yaml": `${deployment}${line}\n` }
  expect(run(proposeChart, files)).toMatchObject({ paths: [], notes })
})

test("which of several Deployments migrates is for a person to say", () => {
  const files = { ...chart, "chart/shop/templates/worker.yaml": deployment }
  expect(run(proposeChart, files)).toMatchObject({ paths: [], notes: [expect.stringContaining("several Deployments")] })
})

test.each([
  ["", { path: [], key: "a", value: 1 }, "a: 1\n"],
  ["# only a comment\n", { path: [], key: "a", value: 1 }, "# only a comment\na: 1\n"],
  ["a:\n  - x\nb: 'y' # z", { path: [], key: "c", value: 1 }, "a:\n  - x\nb: 'y' # z\nc: 1\n"],
  [
    "a:\n   b: |\n     text\n\nd: 1\n",
    { path: ["a"], key: "c", value: 1 },
    "a:\n   b: |\n     text\n   c: 1\n\nd: 1\n",
  ],
  ["a: { b: 1 }\n", { path: ["a"], key: "c", value: 1 }, undefined],
  ["a: [\n", { path: [], key: "c", value: 1 }, undefined],
])("addToYaml(%j, %o)", (text, addition, expected) => {
  expect(addToYaml(text, addition)).toBe(expected)
})
