import type { Output } from "../cli/output.js"
import type { CiSystem, Found } from "../init/detect.js"
import { inLine } from "../printable.js"

const ciNames: Readonly<Record<CiSystem, string>> = {
  github: "GitHub Actions",
  gitlab: "GitLab CI",
  circleci: "CircleCI",
  jenkins: "Jenkins",
  plain: "a script",
}

/** What a look at a project has found, one line a part. */
export function renderFound(found: Found): string {
  const { manager, schema, migrations, chart } = found
  const list = (parts: readonly (string | undefined)[]) => parts.filter(Boolean).join(", ")
  const parts: readonly (readonly [string, string])[] = [
    [
      "package manager",
      list([
        [manager.name, manager.version].filter(Boolean).join(" "),
        manager.namedBy && `by ${manager.namedBy}`,
        found.isWorkspacePackage ? `${found.at} of a workspace` : undefined,
      ]),
    ],
    ["Prisma", list([found.prisma, found.client && `client ${found.client}`])],
    ["Lockstep", found.runner ?? ""],
    ["schema", schema ? list([schema.path, counted(schema.models, "model"), schema.provider]) : ""],
    [
      "migrations",
      migrations.names.length > 0
        ? list([migrations.path, `${migrations.names.length}`, `last ${migrations.names.at(-1)}`])
        : "",
    ],
    ["configuration", found.config ?? ""],
    ["database", list(found.variables)],
    ["CI", list([...new Set(found.ci.map(({ system }) => ciNames[system]))])],
    ["Helm chart", chart ? list([chart.folder, ...chart.deployments]) : ""],
    ["Makefile", found.makefile ?? ""],
    ["Docker", list(found.docker)],
    ["Dagger", found.dagger ?? ""],
  ]
  return parts.map(([name, value]) => `  ${name.padEnd(16)} ${inLine(value) || "none found"}`).join("\n")
}

export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`

/** A patch for who reads it on a terminal. */
export function renderPatch(patch: string, paint: Output["paint"]): string {
  return patch
    .trimEnd()
    .split("\n")
    .map((line) => {
      if (/^(diff|---|\+\+\+|new file)/.test(line)) return paint.bold(line)
      if (line.startsWith("+")) return paint.green(line)
      return line.startsWith("-") ? paint.red(line) : line
    })
    .join("\n")
}
