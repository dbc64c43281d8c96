import { createRequire } from "node:module"
import { setFlagsFromString } from "node:v8"
import type { Node, ScanToken } from "libpg-query"

/** PostgreSQL's own parser (libpg_query, WebAssembly). The locations it gives are in UTF-8 bytes. */
export interface Parser {
  parse(sql: string): readonly RawStatement[] | SyntaxProblem
  /** The body of a DO block or of a CREATE FUNCTION or PROCEDURE statement in PL/pgSQL; undefined where it has a syntax error. */
  parsePlPgSql(statement: string): unknown
  scan(sql: string): readonly ScanToken[]
}

export interface RawStatement {
  readonly stmt?: Node
  /** Absent means 0. */
  readonly stmt_location?: number
  /** Absent where no semicolon follows. */
  readonly stmt_len?: number
}

export interface SyntaxProblem {
  readonly message: string
  /** 1-based, in characters. */
  readonly position: number
}

/** Imported, it takes twice as long: Node searches the same file, and its compiler, for what they export. */
const require: (name: "libpg-query") => typeof import("libpg-query") = createRequire(import.meta.url)

let loading: Promise<Parser> | undefined

/** Loads the parser once, about 0.1 s; call it early to load while something else is waited for. */
export function loadParser(): Promise<Parser> {
  loading ??= load()
  return loading
}

async function load(): Promise<Parser> {
  const library = await compiledQuickly(async () => {
    const required = require("libpg-query")
    await required.loadModule()
    return required
  })
  return {
    parse(sql) {
      try {
        return library.parseSync(sql).stmts ?? []
      } catch (error) {
        // Not only syntax errors end here: an expression of 50,000 terms exhausts the parser's stack.
        const tooDeep = error instanceof RangeError && "an expression is nested too deeply"
        const message = tooDeep || (error instanceof Error ? error.message : String(error))
        const position = library.hasSqlDetails(error) ? (error.sqlDetails?.cursorPosition ?? 0) + 1 : 1
        return { message, position }
      }
    },
    parsePlPgSql(statement) {
      try {
        return library.parsePlPgSQLSync(statement)
      } catch {
        return undefined
      }
    },
    scan: (sql) => library.scanSync(sql).tokens,
  }
}

/*
 * V8 compiles WebAssembly with a quick compiler and, left to itself, its busy functions once more with the optimising
 * one, in other threads. For a run of a second that costs three times the CPU, and the result is ready when the work is
 * done. A deploy of 1000 migrations peaks at 77 MiB without it, at 117 MiB with it (Node 24: 500 MB).
 */

const again = ["wasm-tier-up", "wasm-dynamic-tiering"]
const later = "wasm-lazy-compilation"
/** A later V8 may not have these flags any more, and prints a warning about that. */
const isKnown = Number.parseInt(process.versions.node, 10) <= 24
let forGood = false

/** Does without the optimising compiler until the process ends: for a process that is Lockstep's own. */
export function compileQuicklyForGood(): void {
  if (isKnown) forbid(again)
  forGood = true
}

/**
 * Does without it for what is loaded here alone, for which all of it is compiled at once. That takes 12 MB more, but
 * afterwards the flags have their defaults again, for the other WebAssembly of a process that only imports Lockstep.
 */
export async function compiledQuickly<T>(load: () => Promise<T>): Promise<T> {
  if (forGood || !isKnown) return await load()
  forbid([...again, later])
  // Node 24 ends a process that has nothing to do but wait for the compiler.
  const alive = setInterval(() => {}, 60_000)
  try {
    return await load()
  } finally {
    clearInterval(alive)
    for (const flag of [...again, later]) setFlagsFromString(`--${flag}`)
  }
}

function forbid(flags: readonly string[]): void {
  for (const flag of flags) setFlagsFromString(`--no-${flag}`)
}
