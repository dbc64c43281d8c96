import type { Finding } from "../../check/finding.js"
import { inert } from "../../printable.js"
import { findingsOf, type Report } from "./report.js"

/**
 * The findings as GitHub's workflow commands, which annotate the lines of a pull request.
 * Source: GitHub's documentation, "Workflow commands for GitHub Actions".
 */
export function asGithub(report: Report): string {
  const { command, verdict } = report
  // It shows ten of a step: what many databases have alike is one.
  return [...findingsOf(report).map(annotation), inert(`lockstep ${command}: ${verdict}`)].join("\n")
}

function annotation({ severity, check, title, message, next, ...place }: Finding): string {
  const { file, line, endLine } = place
  // Columns are those of one line.
  const { column: col, endColumn } = endLine === undefined || endLine === line ? place : {}
  const properties = Object.entries({ file, line, endLine, col, endColumn, title: `${check}: ${title}` })
  const written = properties.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${property(value)}`]))
  return `::${severity} ${written.join(",")}::${data([message, next].filter(Boolean).join("\n"))}`
}

const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")

const property = (value: string | number): string => data(String(value)).replaceAll(":", "%3A").replaceAll(",", "%2C")
