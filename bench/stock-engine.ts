#!/usr/bin/env node
import { readFolder } from "../src/history/folder.js"
import { parseDatabaseUrl } from "../src/postgres/url.js"
import { waitForLock } from "../src/schema-engine/adapter.js"
import { historyList, openEngine } from "../src/schema-engine/engine.js"
import { schemaEngine } from "../src/schema-engine/json-rpc/server.js"
import { stepsOf } from "../src/scratch/replay.js"

/** Prisma's schema engine with its own deploy, so that Prisma's CLI is measured as it is, without a native engine. */

const { stdin, stdout, stderr } = process
const code = await schemaEngine({
  argv: process.argv.slice(2),
  ...{ stdin, stdout, stderr },
  signal: new AbortController().signal,
  onCall: () => undefined,
  cliStderr: { reader: "person", say: () => undefined },
  adoptSquashed: async () => undefined,
  lockWith: () => waitForLock,
  applyMigrations: async ({ migrationsDir, url }) => {
    const engine = await openEngine({ url: parseDatabaseUrl(url) })
    const migrationsList = historyList(migrationsDir, stepsOf(readFolder(migrationsDir).migrations))
    const filters = { externalTables: [], externalEnums: [] }
    const { appliedMigrationNames } = await engine.raw((each) => each.applyMigrations({ migrationsList, filters }))
    return appliedMigrationNames
  },
})
process.exit(code)
