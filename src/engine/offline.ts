import { ColumnTypeEnum, type SqlDriverAdapter } from "@prisma/driver-adapter-utils"
import { LockstepError } from "../errors.js"

const { Boolean: Bool, Int32, Text } = ColumnTypeEnum

/**
 * Stands in for a database where none is needed: the engine asks any server for its version when it starts, even to
 * compare two schemas. Whatever else it asks for is refused. Errors: L1205.
 */
export function offlineAdapter(): SqlDriverAdapter {
  const refuse = async (): Promise<never> => {
    throw new LockstepError("L1205", "this needs a database, and no database URL is given", {
      next: "set DATABASE_URL, or datasource.url in prisma.config.ts",
    })
  }
  return {
    provider: "postgres",
    adapterName: "lockstep",
    queryRaw: async ({ sql }) => {
      if (!sql.includes("server_version_num")) return await refuse()
      return {
        columnNames: ["exists", "version", "numeric_version"],
        columnTypes: [Bool, Text, Int32],
        rows: [[true, "PostgreSQL 18.0", 180_000]],
      }
    },
    executeRaw: refuse,
    executeScript: refuse,
    startTransaction: refuse,
    getConnectionInfo: () => ({ schemaName: "public", supportsRelationJoins: true }),
    dispose: async () => undefined,
  }
}
