import { checksumOf, type FolderMigration } from "../../src/history/folder.js"
import type { RecordedRow } from "../../src/history/recorded.js"

/** A migration of a folder that does not exist. */
export function migration(name: string, sql = `-- ${name}\n`): FolderMigration {
  return { name, path: `/project/prisma/migrations/${name}/migration.sql`, text: sql, checksum: checksumOf(sql) }
}

/** The row of such a migration, applied unless the changes say otherwise. */
export function row(name: string, changes: Partial<RecordedRow> = {}): RecordedRow {
  return {
    id: `id of ${name}`,
    name,
    checksum: migration(name).checksum,
    startedAt: "2026-01-01T00:00:00.000Z",
    finishedAt: "2026-01-01T00:00:01.000Z",
    rolledBackAt: null,
    steps: 1,
    logs: null,
    ...changes,
  }
}

/** The row of a migration that began and did not end. */
export const failedRow = (name: string, changes: Partial<RecordedRow> = {}): RecordedRow =>
  row(name, { finishedAt: null, steps: 0, logs: "it failed", ...changes })

/** The row of a failed migration that was marked as rolled back. */
export const rolledBackRow = (name: string): RecordedRow =>
  failedRow(name, { rolledBackAt: "2026-01-02T00:00:00.000Z" })
