import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parse } from "dotenv"

/** One .env file's variables, and the file they came from. */
export interface Dotenv {
  readonly path: string
  readonly variables: Readonly<Record<string, string>>
}

/**
 * The .env files that Prisma reads, in its order: beside the project, then beside the schema, then in prisma/.
 * They are read, not put into the process's environment.
 */
export function readDotenv(root: string, schemaPath: string | undefined): readonly Dotenv[] {
  const folders = new Set([root, ...(schemaPath ? [schemaPath, dirname(schemaPath)] : []), join(root, "prisma")])
  return [...folders].flatMap((folder) => {
    const path = join(folder, ".env")
    const text = readIfThere(path)
    return text === undefined ? [] : [{ path, variables: parse(text) }]
  })
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}
