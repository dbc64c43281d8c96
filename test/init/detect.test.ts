import { describe, expect, test } from "vitest"
import { detect, prismaPackages } from "../../src/init/detect.js"
import { stepsFor } from "../../src/init/pipeline.js"
import { listing, settingOf } from "./repositories.js"

describe("the package manager", () => {
  test.each([
    ["pnpm", { "pnpm-lock.yaml": "" }, "pnpm install --frozen-lockfile"],
    ["yarn", { "yarn.lock": "" }, "yarn install --frozen-lockfile"],
    ["yarn", { "yarn.lock": "", ".yarnrc.yml": "" }, "yarn install --immutable"],
    ["bun", { "bun.lockb": "" }, "bun install --frozen-lockfile"],
    ["npm", { "package-lock.json": "{}" }, "npm ci"],
    ["npm", {}, "npm ci"],
  ] as const)("%s by %o", (name, files, frozen) => {
    const setting = settingOf(files)
    expect(setting.found.manager).toMatchObject({ name, namedBy: Object.keys(files)[0] })
    expect(stepsFor(setting).lines[0]).toBe(frozen)
  })

  test("package.json's own word outweighs a lockfile, and brings the version", () => {
    const files = { "package.json": '{ "packageManager": "pnpm@10.34.9+sha512.0" }', "package-lock.json": "{}" }
    expect(settingOf(files).found.manager).toEqual({ name: "pnpm", namedBy: "package.json", version: "10.34.9" })
  })

  test("the package's lockfile is the workspace's", () => {
    const files = { "pnpm-lock.yaml": "", "packages/db/package.json": "{}" }
    expect(settingOf(files, {}, { at: "packages/db" }).found.manager).toMatchObject({
      name: "pnpm",
      namedBy: "pnpm-lock.yaml",
    })
  })
})

test("everything that init writes beside is found", () => {
  const { found } = settingOf({
    "package.json": '{ "dependencies": { "@prisma/client": "6.19.0" }, "devDependencies": { "prisma": "^6.19.0" } }',
    "prisma/schema.prisma":
      'datasource db {\n  provider = "postgresql"\n  url = env("X")\n}\nmodel A {\n}\nmodel B {\n}\n',
    "prisma/migrations/20260101000000_init/migration.sql": "",
    "prisma/migrations/migration_lock.toml": "",
    ".github/workflows/ci.yml": "",
    "deploy/shop/Chart.yaml": "",
    "deploy/shop/values.yaml": "",
    "deploy/shop/templates/deployment.yaml": "kind: Deployment\n",
    "deploy/shop/templates/service.yaml": "kind: Service\n",
    Makefile: "",
    Dockerfile: "",
    "docker-compose.yml": "",
    "dagger.json": "{}",
  })
  expect(found).toMatchObject({
    prisma: "^6.19.0",
    client: "6.19.0",
    runner: undefined,
    slim: false,
    isWorkspacePackage: false,
    schema: { path: "prisma/schema.prisma", models: 2, provider: "postgresql" },
    migrations: { names: ["20260101000000_init"] },
    config: undefined,
    ci: [{ system: "github", path: ".github/workflows/ci.yml" }],
    chart: {
      folder: "deploy/shop",
      values: "deploy/shop/values.yaml",
      deployments: ["deploy/shop/templates/deployment.yaml"],
    },
    makefile: "Makefile",
    docker: ["Dockerfile", "docker-compose.yml"],
    dagger: "dagger.json",
  })
})

test("a schema of several files is counted as one", () => {
  const files = {
    "db/schema/base.prisma": 'datasource db {\n  provider = "postgresql"\n}\n',
    "db/schema/user.prisma": "model User {\n}\n",
  }
  const paths = { at: "", schema: "db/schema", migrations: "db/migrations", config: undefined, variables: [] }
  expect(detect(listing(files), paths).schema).toEqual({ path: "db/schema", models: 1, provider: "postgresql" })
})

test("Prisma's version is that of the package with the schema, or of a folder above it", () => {
  const versions = (files: Record<string, string>, at: string) => {
    const { prisma, client } = settingOf(files, {}, { at, schema: "packages/db/prisma/schema.prisma" }).found
    return { prisma, client }
  }
  const inPackage = '{ "devDependencies": { "prisma": "6.19.3" } }'
  const inRoot = '{ "dependencies": { "@prisma/client": "6.19.2" }, "devDependencies": { "prisma": "5.0.0" } }'
  const files = { "package.json": inRoot, "packages/db/package.json": inPackage }
  expect(versions(files, "")).toEqual({ prisma: "6.19.3", client: "6.19.2" })
  expect(versions(files, "packages/db")).toEqual({ prisma: "6.19.3", client: "6.19.2" })
})

test("of a workspace it names the packages that hold a schema", () => {
  const schema = 'datasource db {\n  provider = "postgresql"\n}\n'
  const files = {
    "package.json": '{ "workspaces": ["packages/*"] }',
    "packages/db/package.json": "{}",
    "packages/db/prisma/schema.prisma": schema,
    "packages/billing/package.json": "{}",
    "packages/billing/prisma/schema/base.prisma": schema,
    "packages/billing/prisma/schema/user.prisma": "model User {\n}\n",
    "packages/web/package.json": "{}",
  }
  expect(prismaPackages(listing(files))).toEqual(["packages/billing", "packages/db"])
  expect(settingOf(files, {}, { at: "packages/db" }).found.isWorkspacePackage).toBe(true)
})
