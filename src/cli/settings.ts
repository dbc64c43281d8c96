import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import type { Option, OptionTable, Settings } from "./options.js"

/** "lockWait" is LOCKSTEP_LOCK_WAIT. */
export const variableOf = (key: string): string =>
  `LOCKSTEP_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

/** Where the values of the options come from, the first that has one wins. */
export interface Sources {
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
    const { value, from } = given(key, option, sources)
    if (option.flagOnly && from !== longFlag(option)) {
      if (value !== undefined) problems.push(`${from} has no effect: ${longFlag(option)} is for the command line alone`)
      return [key, z.parse(option.schema, undefined)]
    }
    const parsed = z.safeParse(option.schema, value)
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

const longFlag = ({ flags }: Option): string => flags.split(/[ ,]+/).find((word) => word.startsWith("--")) ?? flags

const inSection = (key: string): string => `lockstep.${key} in package.json`

function given(key: string, option: Option, { flags, env, section }: Sources): { value: unknown; from: string } {
  const variable = variableOf(key)
  if (flags[key] !== undefined) return { value: flags[key], from: longFlag(option) }
  if (env[variable]) return { value: env[variable], from: variable }
  return { value: section[key], from: inSection(key) }
}

/** Keys of the section that mean an option of this command; other keys belong to other commands. */
function misspelt(options: OptionTable, section: Sources["section"]): string[] {
  const bare = (text: string) => text.replaceAll(/[-_]/g, "").toLowerCase()
  return Object.keys(section).flatMap((key) => {
    const meant = Object.keys(options).find((option) => option !== key && bare(option) === bare(key))
    return meant ? [`${inSection(key)} is to be written ${meant}`] : []
  })
}
