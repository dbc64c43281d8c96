import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import type { Option, OptionTable, Settings } from "./command.js"

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
  const problems: string[] = []
  const entries = Object.entries(options).map(([key, option]) => {
    const { value, from } = given(key, option, sources)
    const parsed = z.safeParse(option.schema, value)
    if (!parsed.success) problems.push(`${from}: ${parsed.error.issues.map((issue) => issue.message).join("; ")}`)
    return [key, parsed.data]
  })
  if (problems.length > 0) {
    throw new LockstepError("L1302", problems.length === 1 ? `wrong setting ${problems[0]}` : "wrong settings", {
      hint: problems.length === 1 ? undefined : problems.join("\n"),
    })
  }
  return Object.fromEntries(entries) as Settings<O>
}

function given(key: string, option: Option, { flags, env, section }: Sources): { value: unknown; from: string } {
  if (flags[key] !== undefined)
    return { value: flags[key], from: option.flags.split(" ").find((word) => word.startsWith("--")) ?? key }
  if (option.flagOnly) return { value: undefined, from: key }
  const variable = variableOf(key)
  if (env[variable]) return { value: env[variable], from: variable }
  return { value: section[key], from: `lockstep.${key} in package.json` }
}

const manifest = z.object({ lockstep: z._default(z.record(z.string(), z.unknown()), {}) })

/** package.json's "lockstep" section; empty where there is none. Errors: L1302 it is not an object. */
export function readSection(root: string): Readonly<Record<string, unknown>> {
  const path = join(root, "package.json")
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch {
    return {}
  }
  try {
    return z.parse(manifest, JSON.parse(text)).lockstep
  } catch (cause) {
    throw new LockstepError("L1302", `${path} cannot be read as JSON with a "lockstep" object`, { cause })
  }
}
