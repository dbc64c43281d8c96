import { createRequire } from "node:module"

/** The executable that PRISMA_SCHEMA_ENGINE_BINARY is to name: this package's own, wherever it is installed. */
export const schemaEnginePath = (): string => createRequire(import.meta.url).resolve("prisma-lockstep/schema-engine")
