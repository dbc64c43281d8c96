import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { readManifest } from "../project/manifest.js"
import { type Severity, severities } from "./finding.js"

const level = z.enum(["off", ...severities], "is none of off, warning, error")

const options = z.strictObject(
  {
    level: z.optional(level),
    /** Findings that are accepted, by the object's name, in which * stands for any text; each with the reason. */
    known: z._default(z.record(z.string(), z.string().check(z.minLength(1, "needs a reason"))), {}),
    /** Rows from which a table counts as large. */
    rows: z.optional(z.number().check(z.int(), z.gte(0))),
    /** Bytes from which a table counts as large. */
    bytes: z.optional(z.number().check(z.int(), z.gte(0))),
  },
  "is neither a level nor an object with level, known, rows, bytes",
)

/** What package.json says about one check. */
export type Options = Readonly<z.infer<typeof options>>

const none: Options = { known: {} }

const section = z.record(
  z.string(),
  z.union([
    z.pipe(
      level,
      z.transform((level): Options => ({ ...none, level })),
    ),
    options,
  ]),
)

/** The levels and exceptions of a project. */
export interface CheckSettings {
  /** "off", or what its findings count as. */
  levelOf(check: { readonly id: string; readonly level: Severity }): Severity | "off"
  optionsOf(id: string): Options
}

/**
 * Reads `"lockstep": { "checks": { "history/name": "off", "lock/*": "warning", "schema/drift": { "known": { … } } } }` of
 * package.json. A check's own line wins over its family's.
 * Errors: L1902 an unknown check, an unknown level, an exception without a reason.
 */
export function readCheckSettings(root: string, ids: readonly string[]): CheckSettings {
  const parsed = z.safeParse(section, readManifest(root).lockstep.checks ?? {})
  if (!parsed.success) throw wrong(z.prettifyError(parsed.error))
  const found = parsed.data
  const unknown = Object.keys(found).filter((name) => selected(ids, name).length === 0)
  if (unknown.length > 0) throw wrong(unknown.map((name) => `there is no check ${name}`).join("\n"))
  const optionsOf = (id: string): Options => ({
    ...none,
    ...found[`${id.split("/")[0]}/*`],
    ...found[id],
  })
  return { optionsOf, levelOf: ({ id, level }) => optionsOf(id).level ?? level }
}

const wrong = (hint: string): LockstepError =>
  new LockstepError("L1902", "lockstep.checks in package.json cannot be used", {
    file: "package.json",
    hint,
    state: "nothing was touched.",
    next: "docs/checks.md lists the checks; a level is off, warning or error",
  })

/** The ids that a name means: a check's own, or those of a family, "history" or "history/*". */
export const selected = (ids: readonly string[], name: string): readonly string[] => {
  const family = name.replace(/\/\*$/, "")
  return ids.filter((id) => id === name || id.startsWith(`${family}/`))
}

/** The reason for which an object's finding is accepted; undefined where it is not. */
export function knownReason({ known }: Options, object: string): string | undefined {
  return Object.entries(known).find(([pattern]) => matches(pattern, object))?.[1]
}

const matches = (pattern: string, text: string): boolean =>
  new RegExp(`^${pattern.split("*").map(escaped).join(".*")}$`, "s").test(text)

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")
