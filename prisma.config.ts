import { defineConfig } from "prisma/config"
import { lockstep } from "prisma-lockstep/config"

export default defineConfig(
  await lockstep({
    schema: "prisma/schema.prisma",
    migrations: { path: "prisma/migrations", seed: "jiti prisma/seed.ts" },
  }),
)
