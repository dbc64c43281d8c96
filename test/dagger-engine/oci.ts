import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import * as z from "zod/mini"

/** A layer as a registry stores it; its uncompressed content. */
export interface Layer {
  readonly digest: string
  readonly files: ReadonlyMap<string, Buffer>
  /** The files' bytes, uncompressed. */
  readonly bytes: number
}

export interface OciImage {
  readonly config: {
    readonly labels: Readonly<Record<string, string>>
    readonly user: string
    readonly cmd: readonly string[]
    readonly entrypoint: readonly string[]
    readonly workdir: string
  }
  readonly layers: readonly Layer[]
  /** Whether any file, or the configuration, holds a text. */
  contains(text: string): boolean
}

const reference = z.object({ digest: z.string() })
const index = z.object({ manifests: z.array(reference) })
const manifest = z.object({ config: reference, layers: z.array(reference) })
const configuration = z.object({
  config: z.object({
    Labels: z._default(z.record(z.string(), z.string()), {}),
    User: z._default(z.string(), ""),
    Cmd: z._default(z.nullable(z.array(z.string())), []),
    Entrypoint: z._default(z.nullable(z.array(z.string())), []),
    WorkingDir: z._default(z.string(), ""),
  }),
})

/** Reads an image's tarball in the OCI layout. */
export async function readOciImage(path: string): Promise<OciImage> {
  const files = untar(readFileSync(path))
  const blob = (digest: string): Buffer => {
    const found = files.get(`blobs/${digest.replace(":", "/")}`)
    if (found === undefined) throw new Error(`${path} does not hold ${digest}`)
    return found
  }
  const json = (bytes: Buffer | undefined): unknown => JSON.parse(String(bytes))
  const [first] = z.parse(index, json(files.get("index.json"))).manifests
  const { config, layers } = z.parse(manifest, json(blob(first?.digest ?? "")))
  const { Labels, User, Cmd, Entrypoint, WorkingDir } = z.parse(configuration, json(blob(config.digest))).config
  const read = layers.map(({ digest }): Layer => {
    const content = untar(plain(blob(digest)))
    return { digest, files: content, bytes: [...content.values()].reduce((sum, { length }) => sum + length, 0) }
  })
  return {
    config: { labels: Labels, user: User, cmd: Cmd ?? [], entrypoint: Entrypoint ?? [], workdir: WorkingDir },
    layers: read,
    contains: (text) =>
      blob(config.digest).includes(text) ||
      read.some(({ files: content }) => [...content.values()].some((bytes) => bytes.includes(text))),
  }
}

/** The layers that hold files under a folder. */
export const layersOf = ({ layers }: OciImage, under: string): readonly Layer[] =>
  layers.filter(({ files }) => [...files.keys()].some((name) => name.startsWith(under)))

const plain = (bytes: Buffer): Buffer => (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes)

/** A tar's regular files by name. Source: POSIX pax, "ustar interchange format"; GNU tar's long names. */
function untar(tar: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>()
  let longName: string | undefined
  for (let at = 0; at + 512 <= tar.length; ) {
    const text = (from: number, length: number) =>
      tar.toString("utf8", at + from, at + from + length).split("\0")[0] ?? ""
    const name = text(345, 155) ? `${text(345, 155)}/${text(0, 100)}` : text(0, 100)
    if (name === "") break
    const size = Number.parseInt(text(124, 12).trim() || "0", 8)
    const content = tar.subarray(at + 512, at + 512 + size)
    const type = text(156, 1)
    if (type === "x") longName = /\d+ path=([^\n]+)\n/.exec(content.toString("utf8"))?.[1]
    else if (type === "L") longName = content.toString("utf8").split("\0")[0]
    else {
      if (type === "0" || type === "") files.set((longName ?? name).replace(/^\.?\//, ""), content)
      longName = undefined
    }
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}
