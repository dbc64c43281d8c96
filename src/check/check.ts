import type { Project } from "../project/project.js"
import type { Finding, Severity } from "./finding.js"
import type { Need, Resources } from "./resources.js"
import type { Options } from "./settings.js"

/** What a check finds; the rest of a finding comes from the check itself. */
export interface Problem extends Pick<Finding, "message"> {
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly column?: number | undefined
  readonly endLine?: number | undefined
  readonly endColumn?: number | undefined
  readonly object?: string | undefined
  readonly rule?: string | undefined
  readonly next?: string | undefined
  /** "warning": it is no error, whatever the check's level is. */
  readonly atMost?: "warning" | undefined
  /** Absent: only a person can correct it. */
  readonly fix?: Fix | undefined
}

/** A mechanical correction. Returns what it did, one line each. */
type Fix = () => Promise<readonly string[]>

/** Why a check cannot say anything here, although what it needs exists. */
export interface Skip {
  readonly skip: string
}

/** A project in small: the check's documentation, and its test. */
export interface Example {
  /**
   * What the base has: a migration's SQL by its name, or a file below prisma/ by its path ("schema.prisma"). The
   * migrations are applied in the database.
   */
  readonly base: Files
  /** What the branch changes; null: it removes it. */
  readonly branch: Readonly<Record<string, string | null>>
  /** SQL that was run in the database by hand. */
  readonly database?: string
}

type Files = Readonly<Record<string, string>>

/** What every check gets. */
export interface Common {
  readonly project: Project
  /** What package.json says about this check. */
  readonly options: Options
  readonly signal: AbortSignal
}

interface Definition<N extends Need, O extends Need> {
  readonly id: `${string}/${string}`
  /** What is wrong where it fails, in a few words. */
  readonly title: string
  /** What goes wrong where nobody looks, in a few sentences. */
  readonly why: string
  /** Unless the project's package.json has another level. */
  readonly level: Severity
  /** Without all of these it is skipped. */
  readonly needs?: readonly N[]
  /** Without any of these it is skipped. */
  readonly needsOneOf?: readonly O[]
  /** Rules of other tools that it knows better: where it has run, their findings are left out. */
  readonly covers?: readonly string[]
  /** What `--fix` does; absent where only a person can correct what it finds. */
  readonly fixes?: string
  readonly examples: { readonly fails: Example; readonly passes: Example }
  run(given: Given<N, O>): Promise<readonly Problem[] | Skip>
}

type Given<N extends Need, O extends Need> = Common & {
  readonly [K in N]: Resources[K]
} & { readonly [K in O]?: Resources[K] | undefined }

/** A check, as the registry holds it. */
export interface Check
  extends Pick<Definition<Need, Need>, "id" | "title" | "why" | "level" | "covers" | "fixes" | "examples"> {
  readonly needs: readonly Need[]
  readonly needsOneOf: readonly Need[]
  run(given: Common & Partial<Resources>): Promise<readonly Problem[] | Skip>
}

/** Writes a check down; what `run` receives follows from what it needs. */
export function defineCheck<const N extends Need = never, const O extends Need = never>(
  definition: Definition<N, O>,
): Check {
  const { needs = [], needsOneOf = [] } = definition
  // The runner calls it only when each of `needs` is there.
  return { ...definition, needs, needsOneOf, run: (given) => definition.run(given as Given<N, O>) }
}
