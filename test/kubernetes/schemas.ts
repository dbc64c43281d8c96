import { existsSync, readdirSync, readFileSync } from "node:fs"
import { mkdtemp, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import Ajv from "ajv-draft-04"
import { execa } from "execa"
import * as z from "zod/mini"

/** The last four minor versions of Kubernetes. */
export const minors = ["1.34", "1.35", "1.36", "1.37"] as const

/** What is wrong with an object by the API of a version; empty where nothing is. */
export type Validate = (object: unknown, minor: (typeof minors)[number]) => readonly string[]

const typed = z.looseObject({ apiVersion: z.string(), kind: z.string() })

/**
 * Kubernetes' own OpenAPI of each minor version, in its strict form: a field that the version does not know is an error.
 * Undefined, with a printed line, where `make test-kubernetes` has not brought it.
 */
export async function findSchemas(): Promise<Validate | undefined> {
  const folder = await unpackedSchemas()
  if (folder === undefined) {
    process.stderr.write("skipped: Kubernetes' OpenAPI schemas are not installed (make test-kubernetes brings them)\n")
    return undefined
  }
  const known = new Map<string, ReturnType<Ajv.default["compile"]>>()
  return (object, minor) => {
    const { apiVersion, kind } = z.parse(typed, object)
    const file = `${kind.toLowerCase()}-${apiVersion.replace("/", "-")}.json`
    const path = join(folder, `v${minor}.0-local-strict`, file)
    const validate = known.get(path) ?? compile(path)
    known.set(path, validate)
    return validate(object) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`)
  }
}

const readSchema = (path: string): object => {
  const { $schema: _, ...schema } = JSON.parse(readFileSync(path, "utf8"))
  return schema
}

function compile(path: string): ReturnType<Ajv.default["compile"]> {
  const ajv = new Ajv.default({ strict: false, validateFormats: false, validateSchema: false })
  ajv.addSchema(readSchema(join(path, "../_definitions.json")), "/api/_definitions.json")
  return ajv.compile(readSchema(path))
}

const requirements = join(import.meta.dirname, "tools/requirements.txt")
const version = /==([\d.]+)/.exec(readFileSync(requirements, "utf8"))?.[1]

async function unpackedSchemas(): Promise<string | undefined> {
  const place = join("/var/tmp", `lockstep-kubernetes-schemas-${process.getuid?.()}-${version}`)
  const inside = "kubernetes_validate/kubernetes-json-schema"
  if (existsSync(place)) return join(place, inside)
  const downloads = join(import.meta.dirname, "tools/node_modules/.schemas")
  const wheel = existsSync(downloads) && readdirSync(downloads).find((name) => name.includes(`-${version}-`))
  if (!wheel) return undefined
  const fresh = await mkdtemp(`${place}-`)
  const wanted = minors.map((minor) => `${inside}/v${minor}.0-local-strict/*`)
  const { exitCode } = await execa("unzip", ["-q", join(downloads, wheel), ...wanted, "-d", fresh], { reject: false })
  if (exitCode !== 0) return undefined
  // Whoever comes second finds the folder there already.
  await rename(fresh, place).catch(() => rm(fresh, { recursive: true }))
  return join(place, inside)
}
