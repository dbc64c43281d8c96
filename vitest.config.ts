import { defineConfig } from "vitest/config"

// Every process of the tests would look there for modules, and read those certificates, which takes it longer than to start.
for (const name of ["NODE_PATH", "NODE_EXTRA_CA_CERTS"]) delete process.env[name]

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // They need a Dagger engine, and have a configuration of their own.
    exclude: ["test/dagger-engine/**"],
    globalSetup: ["test/support/memory.ts", "test/support/global-setup.ts"],
    pool: "forks",
    // No module holds what a test could see of another, and loading them all anew takes longer than most files.
    isolate: false,
    restoreMocks: true,
    // Most tests wait for servers and child processes: more workers than cores.
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
