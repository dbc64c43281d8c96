import type { Finding } from "../../check/finding.js"
import type { Report } from "./report.js"
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
export const asGitlab = ({ items }: Report): readonly Issue[] => items.flatMap(({ findings }) => findings.map(issueOf))

const issueOf = (finding: Finding): Issue => ({
  description: [finding.message, finding.next].filter(Boolean).join("\n"),
  check_name: finding.check,
  fingerprint: fingerprint(finding),
  severity: finding.severity === "error" ? "major" : "minor",
  location: { path: finding.file ?? "package.json", lines: { begin: finding.line ?? 1 } },
})
