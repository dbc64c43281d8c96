import { afterEach, expect, test, vi } from "vitest"
import { findTarget } from "../../src/project/database-url.js"
import { loadProject } from "../../src/project/project.js"
import { createProject } from "../project.js"

afterEach(() => vi.unstubAllEnvs())

test("LOCKSTEP_DATABASE_HOST says where the server is, whatever host DATABASE_URL names", async () => {
  vi.stubEnv("DATABASE_URL", "postgresql://app:secret@db.internal/shop?schema=sales")
  vi.stubEnv("LOCKSTEP_DATABASE_HOST", "database:6432")
  const { root } = createProject()
  const { url, source } = await findTarget(await loadProject({ root }, "migrations"))
  expect(source).toBe("DATABASE_URL")
  expect(url).toMatchObject({ host: "database", port: 6432, database: "shop", user: "app", schema: "sales" })
  expect(url.display).toBe("postgresql://app@database:6432/shop")
})
