import { dirname, join, resolve } from "node:path"

/** A generator of Prisma Client in the schema, and the module that it makes. */
export interface ClientGenerator {
  readonly name: string
  readonly provider: "prisma-client" | "prisma-client-js"
  /** A file, or a package's name where the schema names no output. */
  readonly entry: string
}

/** The generators of Prisma Client that a schema's files hold. Source: Prisma's schema reference, "Generators". */
export function clientGenerators(
  files: readonly { readonly path: string; readonly content: string }[],
): readonly ClientGenerator[] {
  return files.flatMap(({ path, content }) =>
    [...content.matchAll(/^\s*generator\s+(\w+)\s*\{([^}]*)\}/gm)].flatMap(([, name = "", body = ""]) => {
      const provider = setting(body, "provider")
      if (provider !== "prisma-client" && provider !== "prisma-client-js") return []
      const output = setting(body, "output")
      const folder = output === undefined ? undefined : resolve(dirname(path), output)
      return [{ name, provider, entry: entryOf(provider, folder, setting(body, "generatedFileExtension") ?? "ts") }]
    }),
  )
}

function entryOf(provider: ClientGenerator["provider"], folder: string | undefined, extension: string): string {
  if (folder === undefined) return "@prisma/client"
  return provider === "prisma-client" ? join(folder, `client.${extension}`) : join(folder, "index.js")
}

const setting = (body: string, key: string): string | undefined =>
  new RegExp(`^\\s*${key}\\s*=\\s*"([^"]*)"`, "m").exec(body)?.[1]
