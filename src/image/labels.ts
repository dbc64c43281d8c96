/** What the labels say. */
export interface LabelFacts {
  readonly source: string | undefined
  readonly revision: string | undefined
  readonly version: string | undefined
  readonly title: string
  /** The runner's version. */
  readonly lockstep: string
  /** The version of Prisma's CLI; undefined in a slim image. */
  readonly prisma: string | undefined
  readonly lastMigration: string | undefined
  readonly migrations: number
  readonly digest: string
}

/** The image's labels, ordered by key. Source: the OCI image specification, "Pre-Defined Annotation Keys". */
export function labelsOf(facts: LabelFacts): Readonly<Record<string, string>> {
  const labels: readonly (readonly [string, string | undefined])[] = [
    ["dev.lockstep.history.count", String(facts.migrations)],
    ["dev.lockstep.history.digest", `sha256:${facts.digest}`],
    ["dev.lockstep.history.last", facts.lastMigration],
    ["dev.lockstep.prisma", facts.prisma],
    ["dev.lockstep.version", facts.lockstep],
    ["org.opencontainers.image.revision", facts.revision],
    ["org.opencontainers.image.source", facts.source],
    ["org.opencontainers.image.title", facts.title],
    ["org.opencontainers.image.version", facts.version],
  ]
  return Object.fromEntries(labels.flatMap(([key, value]) => (value ? [[key, value]] : [])))
}
