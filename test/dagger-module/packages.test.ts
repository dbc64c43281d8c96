import { expect, test } from "vitest"
import { installCommand } from "../../dagger/src/packages.js"

test.each([
  ["npm", "10.9.8", "package-lock.json", "npx --yes npm@10.9.8 ci --ignore-scripts"],
  ["npm", undefined, "package-lock.json", "npm ci --ignore-scripts"],
  ["npm", undefined, undefined, "npm install --ignore-scripts"],
  ["pnpm", "10.34.9", "pnpm-lock.yaml", "npx --yes pnpm@10.34.9 install --frozen-lockfile --ignore-scripts"],
  ["yarn", "1.22.22", "yarn.lock", "npx --yes yarn@1.22.22 install --frozen-lockfile --ignore-scripts"],
  ["yarn", "4.10.3", "yarn.lock", "npx --yes @yarnpkg/cli-dist@4.10.3 install --immutable --mode=skip-build"],
  ["bun", "1.3.0", "bun.lock", "npx --yes bun@1.3.0 install --frozen-lockfile --ignore-scripts"],
] as const)(
  "%s %s with %s is installed as the lockfile says, without scripts",
  (manager, managerVersion, lockfile, command) => {
    expect(installCommand({ manager, managerVersion, lockfile }).join(" ")).toMatch(command)
  },
)
