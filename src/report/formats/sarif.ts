import { createHash } from "node:crypto"
import type { Location, Log, Region, ReportingDescriptor, Result } from "sarif"
import type { Finding } from "../../check/finding.js"
import { version } from "../../version.js"
import { withoutFile } from "./prepared.js"
import type { Report } from "./report.js"

/**
 * The report as SARIF 2.1.0, for code scanning: a rule a check, a result a finding; what an exception accepts is a
 * result that is suppressed. Source: OASIS, Static Analysis Results Interchange Format 2.1.0.
 */
export function asSarif({ command, items }: Report): Log {
  const found = items.flatMap(({ findings }) => findings)
  const accepted = items.flatMap((item) => item.accepted)
  const all = [...found, ...accepted.map(({ finding }) => finding)]
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "Lockstep", semanticVersion: version, rules: rulesOf(all) } },
        automationDetails: { id: `lockstep/${command}/` },
        columnKind: "unicodeCodePoints",
        results: [
          ...found.map(resultOf),
          ...accepted.map(
            ({ finding, reason }): Result => ({
              ...resultOf(finding),
              suppressions: [{ kind: "inSource", status: "accepted", justification: reason }],
            }),
          ),
        ],
      },
    ],
  }
}

function rulesOf(findings: readonly Finding[]): ReportingDescriptor[] {
  const byCheck = new Map(findings.map((one) => [one.check, one]))
  return [...byCheck.values()].map((one) => ({
    id: one.check,
    shortDescription: { text: one.title },
    help: { text: `See ${one.docs} of prisma-lockstep.` },
  }))
}

function resultOf(finding: Finding): Result {
  const { check, severity, message, next } = finding
  return {
    ruleId: check,
    level: severity,
    message: { text: next === undefined ? message : `${message}\n${next}` },
    locations: [locationOf(finding)],
    partialFingerprints: { "lockstep/v1": fingerprint(finding) },
  }
}

function locationOf({ file, object, ...place }: Finding): Location {
  const named = object === undefined ? {} : { logicalLocations: [{ fullyQualifiedName: object }] }
  const uri = (file ?? withoutFile).split("/").map(encodeURIComponent).join("/")
  const region = regionOf(place)
  return { physicalLocation: { artifactLocation: { uri }, ...(region && { region }) }, ...named }
}

/** A SARIF region's last column is the one after it. */
function regionOf({
  line,
  column,
  endLine,
  endColumn,
}: Pick<Finding, "line" | "column" | "endLine" | "endColumn">): Region | undefined {
  if (line === undefined) return undefined
  return {
    startLine: line,
    ...(column === undefined ? {} : { startColumn: column }),
    ...(endLine === undefined ? {} : { endLine }),
    ...(endColumn === undefined ? {} : { endColumn: endColumn + 1 }),
  }
}

/** The same for a finding as long as it is about the same thing, wherever in the file that moves. */
export const fingerprint = ({ check, file, object, message }: Finding): string =>
  createHash("sha256")
    .update(JSON.stringify([check, file, object, message]))
    .digest("hex")
