import type { Check, Example } from "../../../src/check/check.js"
import { checks } from "../../../src/check/registry.js"
import { made } from "./render.js"

/** docs/checks.md: what each check finds and why, how it is configured, and its two examples. */
export function checksPage(): string {
  const table = [
    "| check | what it finds | level | needs | `--fix` |",
    "| --- | --- | --- | --- | --- |",
    ...checks.map(
      (one) =>
        `| [${one.id}](#${one.id.replace("/", "")}) | ${one.title} | ${one.level} | ${needsOf(one)} | ${one.fixes ?? ""} |`,
    ),
  ].join("\n")
  return `${[head, table, ...checks.flatMap(section)].join("\n\n")}\n`
}

const head = `# Checks

${made}

\`lockstep check\` runs them side by side; \`lockstep check history lock/scans\` runs a family and a check. Levels and known
differences are set in package.json, for a check or a family:

\`\`\`json
{ "lockstep": { "checks": { "history/name": "off", "lock/*": "warning", "schema/drift": { "known": { "grant *": "made by Terraform" } } } } }
\`\`\`

A migration accepts a finding with a comment before the statement, or on its line. Without the reason it has no effect:

\`\`\`sql
-- lockstep-ignore lock/blocks-writers: the table has 40 rows
CREATE INDEX "Order_note" ON "Order" ("note");
\`\`\`

"base" is what the branch is merged into: \`--base REF\`, or the pull request's base in CI, or origin's default branch.`

const words = {
  folder: "",
  base: "a base",
  database: "a database",
  changes: "a base, or else a database",
  scratch: "",
  plan: "a base, or else a database",
} as const satisfies Record<Check["needs"][number], string>

function needsOf({ needs, needsOneOf }: Check): string {
  const all = needs.flatMap((need) => words[need] || [])
  const one = needsOneOf.map((need) => words[need]).join(" or ")
  return (all.length > 0 ? all : [one]).filter(Boolean).join("; ")
}

function section({ id, title, why, examples }: Check): readonly string[] {
  return [
    `## ${id}`,
    `${title.slice(0, 1).toUpperCase()}${title.slice(1)}. ${why}`,
    ...shown("Fails:", examples.fails),
    ...shown("Passes:", examples.passes),
  ]
}

function shown(title: string, { base, branch, database }: Example): readonly string[] {
  const changed = new Set(Object.keys(branch))
  const unchanged = Object.entries(base).filter(([path]) => !changed.has(path) && !path.includes("."))
  const context = unchanged.map(([, sql]) => `-- on the base\n${sql.trim()}`)
  const removed = Object.entries(branch).flatMap(([path, content]) => (content === null ? [path] : []))
  const written = Object.entries(branch).flatMap(([path, content]) =>
    content === null ? [] : [block(path, content, base[path] === undefined ? "new" : "changed")],
  )
  return [
    `${title}${removed.length > 0 ? ` the branch removes ${removed.map((path) => `\`${path}\``).join(", ")}.` : ""}`,
    ...(context.length > 0 ? [fenced("sql", context.join("\n"))] : []),
    ...written,
    ...(database === undefined ? [] : [fenced("sql", `-- run in the database by hand\n${database.trim()}`)]),
  ]
}

function block(path: string, content: string, state: string): string {
  if (!path.includes(".")) return fenced("sql", `-- ${path} (${state})\n${content.trim()}`)
  const comment = path.endsWith(".prisma") ? "//" : "#"
  return fenced(path.endsWith(".prisma") ? "prisma" : "", `${comment} ${path} (${state})\n${content.trim()}`)
}

const fenced = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``
