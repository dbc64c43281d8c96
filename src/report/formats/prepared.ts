import { existsSync } from "node:fs"
import { dirname, join, posix, relative } from "node:path"
import type { Finding } from "../../check/finding.js"
import { thisCaller, typedCommands } from "../../cli/typed-commands.js"
import { inLine, redacted } from "../../printable.js"
import { emptyPicture, type Picture } from "../html/picture.js"
import type { Report } from "./report.js"

/** Where CIs show what is about no file: they take no finding without one. */
export const withoutFile = "package.json"

/** The report with each of its findings changed. */
function withFindings(report: Report, change: (finding: Finding) => Finding): Report {
  const items = report.items.map((item) => ({
    ...item,
    findings: item.findings.map(change),
    accepted: item.accepted.map((one) => ({ ...one, finding: change(one.finding) })),
  }))
  const groups = report.groups?.map((group) => ({ ...group, finding: change(group.finding) }))
  return { ...report, items, ...(groups && { groups }) }
}

const typed = (words: string): string => redacted(typedCommands(words, thisCaller))

/** A report whose commands are as they are typed in this project, and whose verdict is the one line that formats take it for. */
export function withTypedCommands(report: Report): Report {
  const findingOf = (one: Finding): Finding => ({
    ...one,
    message: typed(one.message),
    ...(one.next === undefined ? {} : { next: typed(one.next) }),
  })
  return { ...withFindings(report, findingOf), verdict: inLine(typed(report.verdict)) }
}

/** The same of a picture; where there is none, of an empty one. */
export function pictureWithTypedCommands(picture: Picture = emptyPicture): Picture {
  const { basis, remarks } = picture
  return { ...picture, basis: basis && typed(basis), remarks: remarks.map(typed) }
}

/** The path from the repository's root to a folder in it, with forward slashes; "" at the root, and where there is no repository. */
export function prefixInRepository(folder: string = process.cwd()): string {
  for (let root = folder; ; root = dirname(root)) {
    if (existsSync(join(root, ".git"))) return relative(root, folder).replaceAll("\\", "/")
    if (dirname(root) === root) return ""
  }
}

/** What CIs show on lines of files is named from the repository's root, wherever in it the command runs. */
export const withRepositoryPaths = (report: Report, prefix: string): Report =>
  prefix === ""
    ? report
    : withFindings(report, (finding) => ({ ...finding, file: posix.join(prefix, finding.file ?? withoutFile) }))
