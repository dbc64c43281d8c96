import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, relative } from "node:path"
import { execa } from "execa"
import * as z from "zod/mini"
import { LockstepError } from "../../errors.js"
import type { FolderMigration } from "../../history/folder.js"
import { defineCheck, type Problem } from "../check.js"

const init = { "20260101000000_init": 'CREATE TABLE "Order" ("id" int PRIMARY KEY);\n' }

/** What squawk, the linter of PostgreSQL's migrations, finds in the branch's migrations. */
export const lint = defineCheck({
  id: "sql/lint",
  title: "squawk finds something in a migration",
  why: "squawk (https://squawkhq.com) knows many ways to write SQL that hurts later. It is used where the project has installed it, with the project's own .squawk.toml. Without that file its rules against what Prisma itself writes are off. What another check of this list looks at more closely, with the table's size, is left to that one.",
  level: "warning",
  needs: ["changes"],
  examples: {
    fails: {
      base: init,
      branch: { "20260102000000_code": 'ALTER TABLE "Order" ADD COLUMN "code" char(4);\n' },
    },
    passes: {
      base: init,
      branch: { "20260102000000_code": 'ALTER TABLE "Order" ADD COLUMN "code" text;\n' },
    },
  },
  run: async ({ changes, project }) => {
    const squawk = programOf(project.root)
    if (squawk === undefined) return { skip: "squawk is not installed: `npm install --save-dev squawk-cli`" }
    if (changes.migrations.length === 0) return []
    const byFile = new Map(changes.migrations.map((one) => [relative(project.root, one.path), one]))
    const own = hasConfig(project.root) ? [] : ["--exclude", writtenByPrisma.join(",")]
    const args = [squawk, "--reporter", "json", ...own, ...byFile.keys()]
    const { stdout, stderr } = await execa(process.execPath, args, { cwd: project.root, reject: false })
    return reportOf(stdout, stderr).flatMap((found) => {
      const migration = byFile.get(found.file)
      return migration === undefined ? [] : [problemOf(found, migration)]
    })
  },
})

/** Rules against what Prisma's engine writes, and against what a deploy does anyway (a lock timeout, one transaction). */
const writtenByPrisma = [
  "prefer-robust-stmts",
  "prefer-text-field",
  "prefer-bigint-over-int",
  "prefer-identity",
  "prefer-timestamp-tz",
  "require-lock-timeout",
  "require-statement-timeout",
]

function programOf(root: string): string | undefined {
  try {
    return join(dirname(createRequire(join(root, "package.json")).resolve("squawk-cli/package.json")), "js/bin/squawk")
  } catch {
    return undefined
  }
}

/** squawk looks for its file from the current folder upwards. */
const hasConfig = (folder: string): boolean =>
  existsSync(join(folder, ".squawk.toml")) || (dirname(folder) !== folder && hasConfig(dirname(folder)))

/** Lines and columns are 0-based, columns in bytes. */
const found = z.object({
  file: z.string(),
  line: z.number(),
  column: z.number(),
  line_end: z.number(),
  column_end: z.number(),
  message: z.string(),
  help: z.nullable(z.string()),
  rule_name: z.string(),
})

/** Errors: L1904 squawk printed something else. */
function reportOf(stdout: string, stderr: string): readonly z.infer<typeof found>[] {
  try {
    return z.parse(z.array(found), JSON.parse(stdout))
  } catch (cause) {
    throw new LockstepError("L1904", "squawk failed", {
      hint: stderr.trim() || stdout.slice(0, 500) || undefined,
      next: "correct .squawk.toml, or install the version of squawk-cli that this Lockstep is tested with: 2.66.0",
      cause,
    })
  }
}

function problemOf(one: z.infer<typeof found>, { path, text, name }: FolderMigration): Problem {
  const lines = text.split("\n")
  const characters = (line: number, bytes: number) =>
    Array.from(
      Buffer.from(lines[line] ?? "")
        .subarray(0, bytes)
        .toString(),
    ).length
  return {
    message: `${one.message} (${one.rule_name})`,
    file: relative(process.cwd(), path),
    line: one.line + 1,
    column: characters(one.line, one.column) + 1,
    endLine: one.line_end + 1,
    endColumn: Math.max(1, characters(one.line_end, one.column_end)),
    object: name,
    rule: one.rule_name,
    next: one.help ?? `if it is meant: -- squawk-ignore ${one.rule_name}`,
  }
}
