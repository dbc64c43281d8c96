import type { Finding } from "../../check/finding.js"
import { someOf } from "../../fleet/outcome.js"
import { printable } from "../../printable.js"
import { placeOf } from "../check.js"
import { duration } from "../deploy.js"
import type { Item, Report } from "./report.js"

/** GitHub takes a comment of 65,536 characters. */
const longest = 60_000
/** Of these, for what passed, and for each message and the verdict. */
const longestRest = 15_000
const longestMessage = 3000

/**
 * The report as a comment on a pull request: the verdict and what failed, the rest collapsed. What does not fit into
 * 60,000 characters is counted.
 */
export function asMarkdown({ command, verdict, items, groups }: Report): string {
  const head = `### lockstep ${command}: ${text(cut(verdict))}\n`
  const open = items.filter(({ state }) => state === "failed" || state === "warned")
  const blocks =
    groups?.map(({ finding, items: names }) => findingBlock(finding, `in ${someOf(names)}`)) ??
    open.flatMap(({ findings }) => findings.map((one) => findingBlock(one)))
  const rest = restBlock(items)
  const kept: string[] = []
  let room = longest - head.length - rest.length - 100
  for (const block of blocks) {
    room -= block.length + 1
    if (room < 0) break
    kept.push(block)
  }
  const left = blocks.length - kept.length
  const more = left === 0 ? [] : [`_${left} more ${left === 1 ? "finding is" : "findings are"} not shown here._\n`]
  return [head, ...kept, ...more, rest].join("\n")
}

/** `where`: in which items, where several have it alike. */
function findingBlock(finding: Finding, where?: string): string {
  const { check, severity, message, next } = finding
  const label = severity === "error" ? "**failed**" : "warning"
  const file = finding.file === undefined ? "" : placeOf(finding)
  const place = where === undefined ? placeOf(finding) : `${file} ${where}`.trim()
  const lines = [`${label} \`${check}\` ${text(place)}`.trimEnd(), "", quote(message)]
  return `${[...lines, ...(next === undefined ? [] : [">", quote(`next: ${next}`)])].join("\n")}\n`
}

const cut = (message: string): string =>
  message.length > longestMessage ? `${message.slice(0, longestMessage)} …` : message

const quote = (message: string): string =>
  text(cut(message))
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\n")

function restBlock(items: readonly Item[]): string {
  const lines = items.flatMap(({ name, state, skipped = "", durationMs, accepted }) => [
    ...(state === "passed"
      ? [`- passed \`${name}\`${durationMs === undefined ? "" : `, ${duration(durationMs)}`}`]
      : []),
    ...(state === "skipped" ? [`- skipped \`${name}\`: ${text(cut(skipped))}`] : []),
    ...accepted.map((one) => `- accepted \`${name}\` at ${text(placeOf(one.finding))}: ${text(cut(one.reason))}`),
  ])
  if (lines.length === 0) return ""
  let room = longestRest
  const kept = lines.filter((line) => {
    room -= line.length + 1
    return room >= 0
  })
  const more = kept.length < lines.length ? `\n- and ${lines.length - kept.length} more` : ""
  return `<details><summary>Passed, skipped and accepted: ${lines.length}</summary>\n\n${kept.join("\n")}${more}\n\n</details>\n`
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;" }

/** Text that means nothing to Markdown, and mentions nobody, but commands in backticks stay code. */
const text = (plain: string): string =>
  printable(plain)
    .split(/(`[^`\n]+`)/)
    .map((part, index) => (index % 2 === 1 ? part : escaped(part)))
    .join("")

const escaped = (plain: string): string =>
  plain.replace(/[\\*_[\]`|#~]/g, "\\$&").replace(/&|<|>|@/g, (character) => entities[character] ?? character)
