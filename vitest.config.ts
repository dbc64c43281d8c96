import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // They need a Dagger engine, and have a configuration of their own.
    exclude: ["test/dagger/**"],
    globalSetup: ["test/global-setup.ts"],
    pool: "forks",
    // Most tests wait for servers and child processes: more workers than cores.
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
