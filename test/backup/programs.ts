import { chmodSync } from "node:fs"
import { join } from "node:path"
import { execa } from "execa"
import type { TestProject } from "../support/project.js"

/**
 * A pg_dump of a version that writes down how it was called, and then does as told; resolves to the PATH that finds it.
 * `then`: lines of a shell script, where $file is what it is to write.
 */
export function stubPgDump(project: TestProject, version: string, then = 'echo dump > "$file"'): string {
  const script = `#!/bin/sh
if [ "$1" = --version ]; then echo "pg_dump (PostgreSQL) ${version}"; exit; fi
for word in "$@"; do case $word in --file=*) file=\${word#--file=};; esac; done
{ echo "arguments: $*"; env | grep ^PG | sort; } > "${join(project.root, "called.txt")}"
${then}
`
  project.write("bin/pg_dump", script)
  chmodSync(join(project.root, "bin/pg_dump"), 0o755)
  return `${join(project.root, "bin")}:${process.env.PATH}`
}

/** Why no real backup can be taken here; undefined where it can, of a PostgreSQL 13 or newer. */
export const noPgDump: string | undefined = await (async () => {
  const { stdout, failed } = await execa("pg_dump", ["--version"], { reject: false })
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(stdout ?? "")?.[1] ?? 0)
  if (failed || major === 0) return "pg_dump is not installed"
  return major < 13 ? `pg_dump is of version ${major}` : undefined
})()

if (noPgDump !== undefined) process.stderr.write(`skipped: real backups, because ${noPgDump}\n`)
