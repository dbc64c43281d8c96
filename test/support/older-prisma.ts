import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { execa } from "execa"
import { repository } from "./cli.js"

/** The last versions of Prisma's older lines. */
export const olderVersions = ["5.22.0", "6.19.3"] as const
export type OlderVersion = (typeof olderVersions)[number]

/** A version of Prisma as npm installs it, without its native engines. */
export interface OlderPrisma {
  readonly version: OlderVersion
  readonly major: 5 | 6
  /** The folder that holds node_modules. */
  readonly root: string
  /** The CLI's script. */
  readonly cli: string
}

const cache = join(repository, "node_modules/.cache/lockstep-tests")

/** Installs it once for each working copy; undefined, with a line that says so, where npm cannot. */
export async function installOlderPrisma(version: OlderVersion): Promise<OlderPrisma | undefined> {
  const major = version.startsWith("5") ? 5 : 6
  const adapter = major === 5 ? [] : [`@prisma/adapter-pg@${version}`]
  const packages = [`prisma@${version}`, `@prisma/client@${version}`, ...adapter]
  const root = await installPackages(`prisma-${version}`, packages)
  return root === undefined
    ? undefined
    : { version, major, root, cli: join(root, "node_modules/prisma/build/index.js") }
}

/** Installs packages into a folder of the cache, where they stay; undefined, with a line that says so, where npm cannot. */
export async function installPackages(name: string, packages: readonly string[]): Promise<string | undefined> {
  const root = join(cache, name)
  if (existsSync(root)) return root
  const problem = await install(packages, root)
  if (problem === undefined) return root
  process.stderr.write(`skipped: npm cannot install ${packages[0]}: ${problem}\n`)
  return undefined
}

/** Installed aside and renamed, because other test files may do the same at this moment. */
async function install(packages: readonly string[], root: string): Promise<string | undefined> {
  mkdirSync(cache, { recursive: true })
  const fresh = mkdtempSync(join(cache, "installing-"))
  try {
    writeFileSync(join(fresh, "package.json"), '{ "name": "older", "private": true }\n')
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefer-offline", "--loglevel=error"]
    const result = await execa("npm", ["install", ...flags, ...packages], { cwd: fresh, reject: false, all: true })
    if (result.failed) return result.all?.trim().split("\n").at(-1) ?? result.shortMessage
    if (!existsSync(root)) renameSync(fresh, root)
    return undefined
  } catch (error) {
    // Another one was first.
    return existsSync(root) ? undefined : String(error)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}
