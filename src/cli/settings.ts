import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { flagOf, type Option, type OptionTable, type Settings, variableOf } from "./options.js"

/** Where the values of the options come from; the first that has one wins. */
interface Sources {
  readonly flags: Readonly<Record<string, unknown>>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly section: Readonly<Record<string, unknown>>
}

/**
 * Flags win over LOCKSTEP_… variables, those over package.json's "lockstep" section, that over the defaults.
 * Errors: L1302, naming every wrong value at once.
 */
export function parseSettings<O extends OptionTable>(options: O, sources: Sources): Settings<O> {
  const problems = misspelt(options, sources.section)
  const entries = Object.entries(options).map(([key, option]) => {
    const { value, from } = given(key, sources)
    const schema = schemaOf(option)
    if (option.source === "command line" && from !== flagOf(key)) {
      if (value !== undefined) problems.push(`${from} has no effect: ${flagOf(key)} is for the command line alone`)
      return [key, z.parse(schema, undefined)]
    }
    const parsed = z.safeParse(schema, value)
    if (!parsed.success) problems.push(`${from} ${parsed.error.issues.map(({ message }) => message).join("; ")}`)
    return [key, parsed.data]
  })
  if (problems.length === 0) return Object.fromEntries(entries) as Settings<O>
  const [first] = problems
  throw new LockstepError("L1302", problems.length === 1 ? `wrong setting: ${first}` : "wrong settings", {
    hint: problems.length === 1 ? undefined : problems.join("\n"),
    state: "nothing was touched.",
  })
}

const inSection = (key: string): string => `lockstep.${key} in package.json`

function given(key: string, { flags, env, section }: Sources): { value: unknown; from: string } {
  const variable = variableOf(key)
  if (flags[key] !== undefined) return { value: flags[key], from: flagOf(key) }
  if (env[variable]) return { value: env[variable], from: variable }
  return { value: section[key], from: inSection(key) }
}

/** Keys of the section that mean an option of this command; other keys belong to other commands. */
function misspelt(options: OptionTable, section: Sources["section"]): string[] {
  const bare = (text: string) => text.replaceAll(/[-_]/g, "").toLowerCase()
  return Object.keys(section).flatMap((key) => {
    const meant = Object.keys(options).find((option) => option !== key && bare(option) === bare(key))
    return meant ? [`${inSection(key)} must be spelled ${meant}`] : []
  })
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
const duration = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/

const notEmpty = z.string("is not a text").check(z.minLength(1, "is empty"))
const boolean = z.union([z.boolean(), z.stringbool()], {
  error: () => "is neither true nor false (1, yes, on, 0, no, off)",
})

/** Parses what the flag, the variable or the configuration says; gives the default for undefined. */
function schemaOf(option: Option): z.ZodMiniType {
  switch (option.type) {
    case "boolean":
      return z._default(boolean, false)
    case "text":
      return orDefault(notEmpty, option.default)
    case "count":
      return z._default(written(/^\d{1,9}$/, "is not a whole number, 0 or more", Number), option.default)
    case "duration":
      return z._default(written(duration, "is not a time such as 500ms, 30s or 5m", milliseconds), option.default)
    case "choice":
      return orDefault(choiceOf(option.choices), option.default)
    case "list":
      return z._default(listOf(option.choices), [])
  }
}

/** A choice that is a number may be one in JSON, too. */
function choiceOf(choices: readonly string[]): z.ZodMiniType<string> {
  const asText = z.transform((value) => (typeof value === "number" ? String(value) : value))
  return z.pipe(asText, z.enum(choices, `is not one of ${choices.join(", ")}`))
}

const orDefault = (schema: z.ZodMiniType<string>, fallback: string | undefined): z.ZodMiniType =>
  fallback === undefined ? z.optional(schema) : z._default(schema, fallback)

/** A value in a notation of ours, also as a JSON number. */
function written(notation: RegExp, problem: string, read: (value: string) => number): z.ZodMiniType<number> {
  const given = z.union([z.string(), z.number()], { error: () => problem })
  const asText = z.pipe(
    given,
    z.transform((value) => String(value)),
  )
  const checked = z.pipe(asText, z.string().check(z.regex(notation, problem)))
  return z.pipe(checked, z.transform(read))
}

function milliseconds(value: string): number {
  const [, amount, unit = "s"] = duration.exec(value) ?? []
  return Math.round(Number(amount) * units[unit as keyof typeof units])
}

function listOf(choices: readonly string[] | undefined): z.ZodMiniType<readonly string[]> {
  const one = choices ? z.enum(choices, `may only hold ${choices.join(", ")}`) : z.string()
  const split = z.transform((list: string) => list.split(",").flatMap((name) => name.trim() || []))
  return z.pipe(z.pipe(z.string("is not a text"), split), z.array(one))
}
