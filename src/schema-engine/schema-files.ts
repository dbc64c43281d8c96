import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { LockstepError } from "../errors.js"
import { readRegularFile } from "../history/folder.js"
import type { SchemaFile, SchemaFiles } from "./engine.js"

/**
 * Reads a project's Prisma schema: one file, or every .prisma file under a folder, in a stable order.
 * Errors: L1401 there is none, or one that cannot be read; L1402 it holds connection URLs, as Prisma up to version 6 had them.
 */
export function readSchema(path: string): SchemaFiles {
  const files = list(path).map((file) => ({ path: file, content: readSchemaFile(file) }))
  if (files.length === 0) {
    throw new LockstepError("L1401", `there is no Prisma schema at ${path}`, {
      state: "nothing was touched.",
      next: "name it with --schema, or in prisma.config; deploy and status do not need it",
    })
  }
  const old = files.flatMap(connectionLines)
  const [first] = old
  if (!first) return files
  throw new LockstepError("L1402", "the Prisma schema holds connection URLs, which Prisma 7 no longer accepts there", {
    file: first.path,
    line: first.line,
    hint: old.map(({ path, line, text }) => `${path}:${line}: ${text}`).join("\n"),
    state: "nothing was touched.",
    next: "delete these lines and put the URL into prisma.config.ts (datasource.url); deploy and status do not need the schema",
  })
}

/** Errors: L1401 it cannot be read. */
export function readSchemaFile(path: string): string {
  try {
    return readRegularFile(path)
  } catch (cause) {
    throw new LockstepError("L1401", "a file of the Prisma schema cannot be read", {
      file: path,
      hint: cause instanceof Error ? cause.message : undefined,
      state: "nothing was touched.",
      cause,
    })
  }
}

function list(path: string): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return []
  if (!stat.isDirectory()) return [path]
  const names = readdirSync(path, { recursive: true, encoding: "utf8" })
  return names
    .filter((name) => name.endsWith(".prisma") && !name.split(/[/\\]/).includes("node_modules"))
    .sort()
    .map((name) => join(path, name))
}

interface Line {
  readonly path: string
  readonly line: number
  readonly text: string
}

/** The lines of a file's datasource block that Prisma 7 refuses. */
export function connectionLines({ path, content }: SchemaFile): readonly Line[] {
  let inDatasource = false
  return content.split("\n").flatMap((raw, at) => {
    const text = raw.trim()
    if (/^datasource\s+\w+\s*\{/.test(text)) inDatasource = true
    const found = inDatasource && /^(?:url|directUrl|shadowDatabaseUrl)\s*=/.test(text)
    if (text.includes("}") && !/^(?:url|directUrl|shadowDatabaseUrl)\b/.test(text)) inDatasource = false
    return found ? [{ path, line: at + 1, text: withoutUrl(text) }] : []
  })
}

/** A URL that is written out holds a password. */
const withoutUrl = (line: string): string =>
  /=\s*env\("\w+"\)/.test(line) ? line : line.replace(/=.*/, "= (not shown)")
