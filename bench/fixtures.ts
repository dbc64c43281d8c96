import { mkdir, mkdtemp, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** One history in the layouts of the tools that are compared. */
export interface History {
  readonly root: string
  /** Prisma's layout. */
  readonly prisma: string
  /** dbmate's layout. */
  readonly dbmate: string
  /** One script a migration, for psql's -f. */
  readonly files: readonly string[]
}

/** A small, ordinary migration: a table, an index, a column on the table before. */
function migration(number: number): string {
  const previous = number === 0 ? "" : `ALTER TABLE "t${number - 1}" ADD COLUMN "note" TEXT;\n`
  return `CREATE TABLE "t${number}" (
    "id" SERIAL PRIMARY KEY,
    "name" TEXT NOT NULL DEFAULT '',
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX "t${number}_name_idx" ON "t${number}"("name");
${previous}`
}

/** Writes a history of `count` small migrations into a new folder outside of any project. */
export async function writeHistory(count: number): Promise<History> {
  const root = await mkdtemp(join(tmpdir(), `lockstep-bench-${count}-`))
  const prisma = join(root, "prisma", "migrations")
  const dbmate = join(root, "dbmate")
  await mkdir(dbmate, { recursive: true })
  const files: string[] = []
  for (let number = 0; number < count; number++) {
    const stamp = String(20_260_101_000_000 + number)
    const sql = migration(number)
    const folder = join(prisma, `${stamp}_m${number}`)
    await mkdir(folder, { recursive: true })
    files.push(join(folder, "migration.sql"))
    await writeFile(join(folder, "migration.sql"), sql)
    await writeFile(join(dbmate, `${stamp}_m${number}.sql`), `-- migrate:up\n${sql}\n-- migrate:down\n`)
  }
  await writeFile(join(prisma, "migration_lock.toml"), 'provider = "postgresql"\n')
  await writeFile(join(root, "prisma", "schema.prisma"), 'datasource db {\n  provider = "postgresql"\n}\n')
  await writeFile(join(root, "prisma.config.mjs"), prismaConfig)
  await writeFile(join(root, "psql.sql"), files.map((file) => `BEGIN;\n\\i ${file}\nCOMMIT;\n`).join(""))
  return { root, prisma, dbmate, files }
}

/** Adds an ordinary change to a history in Prisma's layout: a column, its values, an index. */
export async function addMigration({ prisma, files }: History): Promise<void> {
  const folder = join(prisma, `${20_260_101_000_000 + files.length}_added`)
  await mkdir(folder, { recursive: true })
  const sql = `ALTER TABLE "t0" ADD COLUMN "label" TEXT;
UPDATE "t0" SET "label" = "name";
CREATE INDEX "t0_label_idx" ON "t0"("label");
`
  await writeFile(join(folder, "migration.sql"), sql)
}

/** Adds a small migration to a history in every layout, and as psql's script; `number`: a new one each time. */
export async function appendMigration({ root, prisma, dbmate }: History, number: number): Promise<void> {
  const stamp = String(20_270_101_000_000 + number)
  const change = (prefix: string) => `ALTER TABLE "t0" ADD COLUMN "${prefix}${number}" TEXT;\n`
  await mkdir(join(prisma, `${stamp}_small`), { recursive: true })
  await writeFile(join(prisma, `${stamp}_small`, "migration.sql"), change("small"))
  await writeFile(join(dbmate, `${stamp}_small.sql`), `-- migrate:up\n${change("small")}\n-- migrate:down\n`)
  await writeFile(join(root, "small.sql"), change("psql"))
}

const prismaConfig = `export default {
  schema: "prisma/schema.prisma",
  migrations: { path: "prisma/migrations" },
  datasource: { url: process.env.DATABASE_URL },
}
`
