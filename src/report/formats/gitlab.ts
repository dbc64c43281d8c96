import { createHash } from "node:crypto"
import type { Finding } from "../../check/finding.js"
import { withoutFile } from "./prepared.js"
import { findingsOf, type Report } from "./report.js"
import { fingerprint } from "./sarif.js"

interface Issue {
  readonly description: string
  readonly check_name: string
  readonly fingerprint: string
  readonly severity: "major" | "minor"
  readonly location: { readonly path: string; readonly lines: { readonly begin: number } }
}

/**
 * The findings as GitLab's code quality report. Source: GitLab's documentation, "Code Quality", "Import code quality
 * results". It requires a file: what is about none is shown at the project's package.json.
 */
export function asGitlab(report: Report): readonly Issue[] {
  const known = new Map<string, number>()
  return findingsOf(report).map((finding) => {
    const print = fingerprint(finding)
    const count = (known.get(print) ?? 0) + 1
    known.set(print, count)
    return issueOf(finding, count === 1 ? print : createHash("sha256").update(`${print} ${count}`).digest("hex"))
  })
}

/** GitLab shows one issue of those with the same fingerprint; the same in another line is another one. */
const issueOf = (finding: Finding, print: string): Issue => ({
  description: [finding.message, finding.next].filter(Boolean).join("\n"),
  check_name: finding.check,
  fingerprint: print,
  severity: finding.severity === "error" ? "major" : "minor",
  location: { path: finding.file ?? withoutFile, lines: { begin: finding.line ?? 1 } },
})
