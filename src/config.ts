import type { PrismaConfig } from "prisma/config"
import { prismaEnvironment, readDotenv } from "./project/environment.js"
import { running } from "./test-db/server.js"

/**
 * Completes a prisma.config, so that Prisma's own commands (`npx prisma migrate deploy`) use Lockstep's schema engine in
 * place of a native binary and, where nothing else names a database (DATABASE_URL, .env), the project's test database.
 */
export async function lockstep(config: PrismaConfig): Promise<PrismaConfig> {
  Object.assign(process.env, prismaEnvironment())
  const url = config.datasource?.url ?? (await databaseUrl())
  return { ...config, datasource: { ...config.datasource, ...(url ? { url } : {}) } }
}

async function databaseUrl(): Promise<string | undefined> {
  if (process.env.DATABASE_URL) return process.env.DATABASE_URL
  const root = process.cwd()
  const fromFile = readDotenv(root, undefined).find(({ variables }) => variables.DATABASE_URL)?.variables.DATABASE_URL
  return fromFile ?? (await running(root))?.url
}
