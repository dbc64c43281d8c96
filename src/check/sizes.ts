import { dirname, join, relative } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { readRegularFile } from "../history/folder.js"
import { readTableSizes, type TableSize } from "../postgres/statistics.js"
import type { Project } from "../project/project.js"
import { quoted } from "../sql/tree.js"
import type { Database } from "./resources.js"
import type { Options } from "./settings.js"

/** What `lockstep stats` prints, to be committed as statistics.json beside the migrations. */
export const statistics = z.strictObject({
  schema: z.literal("lockstep.stats/1"),
  at: z.iso.datetime({ precision: 3 }),
  tables: z.readonly(
    z.array(
      z.strictObject({
        ...{ schema: z.string(), name: z.string() },
        /** PostgreSQL's estimate; null where the table was never analysed. */
        rows: z.nullable(z.number()),
        /** With indexes, TOAST and partitions. */
        bytes: z.number(),
      }),
    ),
  ),
})

export type Statistics = z.infer<typeof statistics>

/** The tables' sizes where the migrations will be deployed, and where they come from, for people. */
export interface Sizes {
  readonly source: string
  /** `table`: as SQL, quoted. */
  of(table: string): TableSize | undefined
}

/**
 * From statistics.json beside the migrations; else from the database, unless it is the test database, whose tables are
 * not those of any production. Errors: L1906 the file cannot be used.
 */
export async function findSizes(project: Project, database: Database | undefined, schema: string): Promise<Sizes> {
  const path = join(dirname(project.migrationsDir), "statistics.json")
  const file = relative(process.cwd(), path)
  const committed = readStatistics(path, file)
  if (committed !== undefined) return sizes(file, committed.tables, schema)
  if (database === undefined || database.isTestDatabase) return sizes("no statistics", [], schema)
  return sizes("the database", await database.read(readTableSizes), schema)
}

function readStatistics(path: string, file: string): Statistics | undefined {
  let text: string
  try {
    text = readRegularFile(path)
  } catch {
    return undefined
  }
  try {
    return z.parse(statistics, JSON.parse(text))
  } catch (cause) {
    throw new LockstepError("L1906", `${file} cannot be used`, {
      file,
      hint: cause instanceof z.core.$ZodError ? z.prettifyError(cause) : String(cause),
      next: `make it again: \`lockstep stats\` > ${file}`,
      cause,
    })
  }
}

function sizes(source: string, tables: readonly TableSize[], schema: string): Sizes {
  const byName = new Map(
    tables.flatMap((one): [string, TableSize][] => [
      [quoted(one), one],
      ...(one.schema === schema ? [[quoted({ name: one.name }), one] satisfies [string, TableSize]] : []),
    ]),
  )
  return { source, of: (table) => byName.get(table) }
}

const largeRows = 100_000
const largeBytes = 50_000_000

/** Whether a table is large enough for a check; "unknown" where nothing tells its size. */
export function isLarge(size: TableSize | undefined, options: Options): "large" | "small" | "unknown" {
  if (size === undefined) return "unknown"
  const { rows = largeRows, bytes = largeBytes } = options
  return (size.rows ?? 0) >= rows || size.bytes >= bytes ? "large" : "small"
}

/** `"Order" (18 M rows, 4.2 GB)`. */
export function tableText(table: string, size: TableSize | undefined): string {
  if (size === undefined) return `${table} (size unknown)`
  const rows = size.rows === null ? [] : [`${amount(size.rows, 1000, ["", " thousand", " M", " billion"])} rows`]
  return `${table} (${[...rows, amount(size.bytes, 1000, [" B", " kB", " MB", " GB", " TB"])].join(", ")})`
}

function amount(value: number, step: number, units: readonly string[]): string {
  let [scaled, at] = [value, 0]
  while (scaled >= step && at < units.length - 1) [scaled, at] = [scaled / step, at + 1]
  return `${scaled >= 10 || at === 0 ? Math.round(scaled) : scaled.toFixed(1)}${units[at]}`
}
