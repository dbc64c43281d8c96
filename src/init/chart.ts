import { parseDocument } from "yaml"
import type { ImageContent } from "../kubernetes/container.js"
import { initContainer } from "../kubernetes/container.js"
import { renderTemplate } from "../kubernetes/template.js"
import { nothing, type Proposal, rewrite, type Setting } from "./change.js"
import { addToYaml } from "./yaml-text.js"

/** What runs the migrations already, in a template or in values. */
const runsMigrations = /prisma["',\s]+migrate["',\s]+deploy|lockstep["',\s]+deploy|db-migrate/

/** The chart's Deployment gets the init container, and its values the database's Secret. */
export function proposeChart(setting: Setting): Proposal {
  const { found, files } = setting
  if (found.chart === undefined) return nothing()
  const { values, deployments, folder } = found.chart
  const templates = files.paths.filter((path) => path.startsWith(folder) && /\.(ya?ml|tpl)$/.test(path))
  if (templates.some((path) => runsMigrations.test(files.text(path) ?? ""))) return nothing()
  const [template, ...others] = deployments
  if (template === undefined || others.length > 0) {
    const why = template === undefined ? "no template with a Deployment" : "several Deployments"
    return nothing(`${folder} has ${why}: \`lockstep kubernetes init-container\` prints what to add to one`)
  }
  const content = found.slim ? "slim" : "full"
  const withContainer = addInitContainer(files.text(template) ?? "", content, found.variables)
  if (withContainer === undefined) {
    return nothing(`${template} is left as it is: \`lockstep kubernetes init-container\` prints what to add to it`)
  }
  const first = rewrite(files, template, withContainer)
  const second = values === undefined ? nothing() : proposeValues(setting, values)
  return { changes: [...first.changes, ...second.changes], notes: [...first.notes, ...second.notes] }
}

/**
 * The template with the init container before its containers, with the image that these have; undefined where it has init
 * containers of its own, or where its containers are not found. A template is text: it need not be YAML.
 */
function addInitContainer(
  template: string,
  content: ImageContent,
  urlVariables: readonly string[],
): string | undefined {
  if (/^\s*initContainers:/m.test(template)) return undefined
  const found = [...template.matchAll(/^(?<indent>[ ]+)containers:[ \t]*$/gm)]
  const [only] = found
  if (only === undefined || found.length > 1) return undefined
  const image = /^\s*(?:- )?image:[ \t]*(\S.*)$/m.exec(template.slice(only.index))?.[1]
  const request = { content, detail: "plain", place: { kind: "template" }, variables: [], urlVariables } as const
  const block = renderTemplate(initContainer(request), "migrations")
    .replace(/^# migrations\n/, "")
    .replace(/^(\s*image:) .*$/m, (line, key: string) => (image === undefined ? line : `${key} ${image.trim()}`))
  const indented = block.replaceAll(/^(?=.)/gm, only.groups?.indent ?? "")
  return `${template.slice(0, only.index)}${indented}\n${template.slice(only.index)}`
}

/** The values that the init container's expressions read, where the chart has none of that name. */
function proposeValues({ found, files }: Setting, path: string): Proposal {
  const text = files.text(path) ?? ""
  const parsed: unknown = parseDocument(text).toJS()
  const database: unknown = typeof parsed === "object" && parsed !== null ? Reflect.get(parsed, "database") : undefined
  const own = typeof database === "object" && database !== null ? database : {}
  const name = `${found.chart?.folder.split("/").at(-1) ?? "app"}-database`
  const value = { secretName: name, secretKey: "DATABASE_URL" }
  const missing = Object.entries(value).filter(([key]) => !(key in own))
  if (missing.length === 0) return nothing()
  const comment = "the Secret in the release's namespace, and its key that holds the database's URL"
  const after =
    database === undefined
      ? addToYaml(text, { path: [], key: "database", value, comment })
      : missing.reduce<string | undefined>(
          (before, [key, one]) => before && addToYaml(before, { path: ["database"], key, value: one }),
          text,
        )
  const note = `create the Secret ${name}: kubectl create secret generic ${name} --from-file=DATABASE_URL=/dev/stdin`
  return after === undefined
    ? nothing(`${path} is left as it is; add to database: ${missing.map(([key, one]) => `${key}: ${one}`).join(", ")}`)
    : rewrite(files, path, after, note)
}
