import type { PrismaConfig } from "prisma/config"
import { readDotenv } from "./project/dotenv.js"
import { schemaEnginePath } from "./project/schema-engine-path.js"
import { running } from "./test-db/server.js"

/**
 * Completes a prisma.config, so that Prisma's own commands run as the documentation types them: they get Lockstep's
 * schema engine in place of a native binary, and where nothing else names a database (DATABASE_URL, .env), the
 * project's test database.
 */
export async function lockstep(config: PrismaConfig): Promise<PrismaConfig> {
  process.env.PRISMA_SCHEMA_ENGINE_BINARY ||= schemaEnginePath()
  process.env.PRISMA_HIDE_UPDATE_MESSAGE ||= "1"
  process.env.CHECKPOINT_DISABLE ||= "1"
  const url = config.datasource?.url ?? (await databaseUrl())
  return { ...config, datasource: { ...config.datasource, ...(url ? { url } : {}) } }
}

async function databaseUrl(): Promise<string | undefined> {
  if (process.env.DATABASE_URL) return process.env.DATABASE_URL
  const root = process.cwd()
  const fromFile = readDotenv(root, undefined).find(({ variables }) => variables.DATABASE_URL)?.variables.DATABASE_URL
  return fromFile ?? (await running(root))?.url
}
