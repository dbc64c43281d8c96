import { createHash } from "node:crypto"
import type { InstalledPackage, Placed } from "./node-modules.js"

/** What the bill of materials records of a package. */
export interface SbomPackage {
  readonly name: string
  readonly version: string
  /** By convention an SPDX expression. */
  readonly license?: string | undefined
}

/** What the bill of materials is made from. */
interface SbomFacts {
  readonly project: { readonly name: string; readonly version: string | undefined }
  readonly runner: SbomPackage
  readonly placed: readonly Placed<InstalledPackage>[]
  /** Packages inside of the runner's bundle. */
  readonly bundled: readonly SbomPackage[]
}

type Component = Readonly<Record<string, unknown>> & { readonly "bom-ref": string }

/**
 * The image's packages as CycloneDX 1.6. It contains neither a time nor a random number, so that the same image has the
 * same bill: the serial number is made from its content. Source: the CycloneDX 1.6 JSON reference; the purl specification.
 */
export function sbomOf({ project, runner, placed, bundled }: SbomFacts): object {
  const byPath = new Map(placed.map((one) => [one.path, purl(one.package)]))
  const components = new Map<string, Component>()
  const dependencies = new Map<string, Set<string>>()
  const add = (one: SbomPackage, needs: readonly string[], kind: "installed" | "bundled") => {
    const ref = purl(one)
    if (!components.has(ref)) components.set(ref, component(one, kind))
    const known = dependencies.get(ref) ?? new Set()
    for (const need of needs) known.add(need)
    dependencies.set(ref, known)
  }
  for (const { package: one, needs } of placed)
    add(
      one,
      needs.flatMap((path) => byPath.get(path) ?? []),
      "installed",
    )
  for (const one of bundled) add(one, [], "bundled")
  add(runner, bundled.map(purl), "installed")
  const root = `pkg:generic/${encodeURIComponent(project.name)}-migrations${project.version ? `@${project.version}` : ""}`
  const direct = placed.filter(({ path }) => path === `node_modules/${runner.name}` || path === "node_modules/prisma")
  const body = {
    metadata: {
      component: {
        type: "application",
        "bom-ref": root,
        name: `${project.name}-migrations`,
        ...(project.version ? { version: project.version } : {}),
      },
    },
    components: [...components.values()].sort((a, b) => byText(a["bom-ref"], b["bom-ref"])),
    dependencies: [
      { ref: root, dependsOn: direct.map((one) => purl(one.package)).sort(byText) },
      ...[...dependencies]
        .sort(([a], [b]) => byText(a, b))
        .map(([ref, needs]) => ({ ref, dependsOn: [...needs].sort(byText) })),
    ],
  }
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(body))}`,
    version: 1,
    ...body,
  }
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const purl = ({ name, version }: SbomPackage): string =>
  `pkg:npm/${name.replace("@", "%40")}@${encodeURIComponent(version)}`

function component(one: SbomPackage, kind: "installed" | "bundled"): Component {
  const [group, name] = one.name.startsWith("@") ? one.name.split("/") : [undefined, one.name]
  return {
    type: "library",
    "bom-ref": purl(one),
    ...(group ? { group } : {}),
    name: name ?? one.name,
    version: one.version,
    ...(one.license ? { licenses: [license(one.license)] } : {}),
    purl: purl(one),
    ...(kind === "bundled" ? { properties: [{ name: "dev.lockstep.bundled", value: "true" }] } : {}),
  }
}

/** A manifest has "MIT", "(MIT OR Apache-2.0)" or "SEE LICENSE IN …": an SPDX expression, or a name. */
function license(text: string): object {
  const isExpression = /^[A-Za-z0-9.+() -]+$/.test(text) && !/^(SEE |UNLICENSED)/.test(text)
  return isExpression ? { expression: text } : { license: { name: text } }
}

/** A UUID of version 8: its bits are a digest's. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex")
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  )
}
