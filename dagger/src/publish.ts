import type { Container, Platform, Secret } from "@dagger.io/dagger"

/** What clusters run on. */
export const usualPlatforms = ["linux/amd64", "linux/arm64"] as Platform[]

/** Publishes images, one a platform, at every address; gives the references with their digests. */
export async function publish(
  [first, ...others]: readonly [Container, ...Container[]],
  addresses: readonly string[],
  username?: string,
  password?: Secret,
): Promise<string[]> {
  const references: string[] = []
  for (const address of addresses) {
    const registry = address.split("/")[0] ?? address
    const known = username && password ? first.withRegistryAuth(registry, username, password) : first
    references.push(await known.publish(address, { platformVariants: others }))
  }
  return references
}
