import type { Accepted, Finding, Result } from "../check/finding.js"
import type { Output } from "../cli/output.js"
import { inLine } from "../printable.js"
import { duration } from "./deploy.js"

type Paint = Output["paint"]

/** The results for people: what passed on few lines, then each finding with its place and what to do. */
export function renderChecks(results: readonly Result[], { paint, width }: Pick<Output, "paint" | "width">): string {
  const widest = Math.max(0, ...results.map(({ check }) => check.length))
  const passed = results.filter(({ state }) => state === "passed")
  return [
    ...passedLines(passed, { paint, width }),
    ...results.flatMap((result) =>
      result.state === "skipped"
        ? skippedLines(result, results, { paint, widest, width })
        : lines(result, { paint, widest }),
    ),
    checkVerdict(results),
  ].join("\n")
}

/** Whether a finding fails the command. */
export const hasFailed = (results: readonly Result[]): boolean => results.some(({ state }) => state === "failed")

/** How many checks ended how: "2 failed, 11 passed, 1 skipped." */
export function checkVerdict(results: readonly Result[]): string {
  const counts = (["failed", "warned", "passed", "skipped"] as const).flatMap((state) => {
    const count = results.filter((result) => result.state === state).length
    return count > 0 || state === "passed" ? [`${count} ${state}`] : []
  })
  return `${counts.join(", ")}.`
}

const indent = "        "

function passedLines(passed: readonly Result[], { paint, width }: { paint: Paint; width: number }): readonly string[] {
  const [first] = passed
  if (first === undefined) return []
  const longest = Math.max(...passed.map((one) => ("durationMs" in one ? one.durationMs : 0)))
  const ids = passed.map(({ check }) => check).join(", ")
  const [line = "", ...others] = wrapped(`${ids}   ${duration(longest)}`, width - indent.length)
  return [`  ${paint.green("ok")}    ${line}`, ...others.map((other) => `${indent}${other}`)]
}

function wrapped(text: string, width: number): readonly string[] {
  const rows: string[] = []
  for (const word of text.split(/ (?=\S)/)) {
    const last = rows.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) rows.splice(-1, 1, `${last} ${word}`)
    else rows.push(word)
  }
  return rows
}

interface Style {
  readonly paint: Paint
  readonly widest: number
}

type Skipped = Extract<Result, { readonly state: "skipped" }>

/** What is skipped for the same reason is printed together, where the first of it stands. */
function skippedLines(
  { check, reason }: Skipped,
  results: readonly Result[],
  { paint, widest, width }: Style & { readonly width: number },
): readonly string[] {
  const [first, ...others] = results.flatMap((one) =>
    one.state === "skipped" && one.reason === reason ? [one.check] : [],
  )
  const label = `  ${paint.dim("skip")}  `
  if (check !== first) return []
  if (others.length === 0) return [`${label}${check.padEnd(widest)}  ${inLine(reason)}`]
  const [line = "", ...rest] = wrapped([first, ...others].join(", "), width - indent.length)
  return [`${label}${line}`, ...rest.map((row) => `${indent}${row}`), `${below}${inLine(reason)}`]
}

function lines(result: Exclude<Result, Skipped>, { paint, widest }: Style): readonly string[] {
  switch (result.state) {
    case "passed":
      return result.accepted.map((one) => acceptedLine(one))
    case "failed":
    case "warned":
      return [
        ...result.findings.flatMap((one) => findingLines(one, { paint, widest })),
        ...result.accepted.map(acceptedLine),
      ]
  }
}

const below = "          "

function findingLines(finding: Finding, { paint, widest }: Style): readonly string[] {
  const { check, severity, message, next } = finding
  const label = severity === "error" ? paint.red("FAIL") : paint.yellow("warn")
  const text = message.split("\n").map((line) => `${below}${inLine(line)}`)
  return [
    `  ${label}  ${check.padEnd(widest)}  ${inLine(placeOf(finding))}`.trimEnd(),
    ...text,
    ...(next === undefined ? [] : [`${below}next:  ${next.replaceAll("\n", `\n${below}       `)}`]),
  ]
}

/** "prisma/migrations/x/migration.sql:1:1", or what the finding is about where it is in no file. */
export function placeOf({ file, line, column, object }: Finding): string {
  if (file === undefined) return object ?? ""
  return [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(":")
}

const acceptedLine = ({ reason, finding }: Accepted): string =>
  `  note  ${finding.check} accepts ${inLine(placeOf(finding))}: ${inLine(reason)}`
