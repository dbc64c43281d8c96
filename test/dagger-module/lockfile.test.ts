import { expect, test } from "vitest"
import { gitPackage, lockedVersion } from "../../dagger/src/lockfile.js"
import "./bun.js"

const pnpm = `lockfileVersion: '9.0'

importers:

  .:
    devDependencies:
      typescript:
        specifier: 5.9.3
        version: 5.9.3

  packages/db:
    dependencies:
      '@prisma/client':
        specifier: ^7.10.0
        version: 7.10.0(prisma@7.10.1(typescript@5.9.3))(typescript@5.9.3)
    devDependencies:
      prisma:
        specifier: ^7.10.0
        version: 7.10.1(typescript@5.9.3)
      prisma-lockstep:
        specifier: file:../../vendor/prisma-lockstep.tgz
        version: file:vendor/prisma-lockstep.tgz(typescript@5.9.3)

packages:

  prisma@7.10.1:
    resolution: {integrity: sha512-x}
`

const npm = JSON.stringify({
  packages: {
    "": {},
    "node_modules/prisma": { version: "7.9.0", resolved: "https://registry.example.com/prisma/-/prisma-7.9.0.tgz" },
    "packages/db/node_modules/prisma": { version: "7.10.1" },
    "node_modules/prisma-lockstep": { version: "0.1.0", resolved: "file:vendor/prisma-lockstep.tgz" },
  },
})

const yarnClassic = `# yarn lockfile v1


"@prisma/client@^7.10.0":
  version "7.10.0"
  resolved "https://registry.example.com/@prisma/client/-/client-7.10.0.tgz#0"

"prisma-lockstep@file:vendor/prisma-lockstep.tgz":
  version "0.1.0"
  resolved "file:vendor/prisma-lockstep.tgz#0"

prisma@^7.10.0:
  version "7.10.1"
`

const yarnBerry = `__metadata:
  version: 8

"@prisma/client@npm:^7.10.0":
  version: 7.10.0
  resolution: "@prisma/client@npm:7.10.0"

"prisma-lockstep@file:vendor/prisma-lockstep.tgz::locator=shop%40workspace%3A.":
  version: 0.1.0
  resolution: "prisma-lockstep@file:vendor/prisma-lockstep.tgz#vendor/prisma-lockstep.tgz::hash=1&locator=shop"

"prisma@npm:^7.10.0":
  version: 7.10.1
  resolution: "prisma@npm:7.10.1"
`

const bun = `{
  "lockfileVersion": 1,
  "packages": {
    "prisma": ["prisma@7.10.1", "", {}, "sha512-x"],
    "prisma-lockstep": ["prisma-lockstep@vendor/prisma-lockstep.tgz", {}],
  }
}
`

test.each([
  ["pnpm-lock.yaml", pnpm, "packages/db"],
  ["package-lock.json", npm, "packages/db"],
  ["yarn.lock", yarnClassic, "."],
  ["yarn.lock", yarnBerry, "."],
  ["bun.lock", bun, "."],
])("%s resolves a range to a version", (file, text, path) => {
  expect(lockedVersion({ name: file, text }, path, "prisma")).toBe("7.10.1")
})

test.each([
  ["pnpm-lock.yaml", pnpm, "packages/db"],
  ["package-lock.json", npm, "."],
  ["yarn.lock", yarnClassic, "."],
  ["yarn.lock", yarnBerry, "."],
])("%s names the tarball that a package is", (file, text, path) => {
  expect(lockedVersion({ name: file, text }, path, "prisma-lockstep")).toBe("file:vendor/prisma-lockstep.tgz")
})

test("bun's tarball gets the scheme that the others write", () => {
  expect(lockedVersion({ name: "bun.lock", text: bun }, ".", "prisma-lockstep")).toBe("file:vendor/prisma-lockstep.tgz")
})

test("a workspace's package has npm's nearest version", () => {
  expect(lockedVersion({ name: "package-lock.json", text: npm }, ".", "prisma")).toBe("7.9.0")
  expect(lockedVersion({ name: "package-lock.json", text: npm }, "packages/api", "prisma")).toBe("7.9.0")
})

test("a dependency of another package of the workspace is not this one's", () => {
  expect(lockedVersion({ name: "pnpm-lock.yaml", text: pnpm }, ".", "prisma")).toBeUndefined()
})

test("what is not in a lockfile is undefined", () => {
  for (const [file, text] of [
    ["pnpm-lock.yaml", pnpm],
    ["package-lock.json", npm],
    ["yarn.lock", yarnClassic],
    ["bun.lock", bun],
    ["bun.lockb", ""],
  ] as const)
    expect(lockedVersion({ name: file, text }, ".", "left-pad")).toBeUndefined()
})

test("a scoped name is found in each of yarn's formats", () => {
  expect(lockedVersion({ name: "yarn.lock", text: yarnClassic }, ".", "@prisma/client")).toBe("7.10.0")
  expect(lockedVersion({ name: "yarn.lock", text: yarnBerry }, ".", "@prisma/client")).toBe("7.10.0")
})

test.each([
  ["yarn.lock", '# yarn lockfile v1\n\n\n"prisma-lockstep@github:owner/lockstep#v1":\n  version "0.1.0"\n'],
  ["yarn.lock", '"prisma-lockstep@github:owner/lockstep#v1":\n  version: 0.1.0\n'],
])("%s keeps the revision of a repository", (file, text) => {
  expect(lockedVersion({ name: file, text }, ".", "prisma-lockstep")).toBe("github:owner/lockstep#v1")
})

const github = "https://github.com/owner/lockstep.git"

test.each([
  ["https://codeload.github.com/owner/lockstep/tar.gz/0123abc", github, "0123abc"],
  ["github:owner/lockstep#v0.1.0", github, "v0.1.0"],
  ["owner/lockstep", github, "HEAD"],
  ["git+https://git.example.com/tools/lockstep.git#v0.1.0", "https://git.example.com/tools/lockstep.git", "v0.1.0"],
  ["git+https://git.example.com/tools/lockstep#0123abc", "https://git.example.com/tools/lockstep", "0123abc"],
  ["git+ssh://git@github.com/owner/lockstep.git#0123abc", "ssh://git@github.com/owner/lockstep.git", "0123abc"],
  ["https://git.example.com/tools/lockstep.git#main", "https://git.example.com/tools/lockstep.git", "main"],
  ["git://git.example.com/lockstep#main", "git://git.example.com/lockstep", "main"],
])("%s is a repository", (spec, url, ref) => {
  expect(gitPackage(spec)).toEqual({ url, ref })
})

test.each(["0.1.0", "^0.1.0", "latest", "https://registry.example.com/prisma-lockstep/-/prisma-lockstep-0.1.0.tgz"])(
  "%s is none",
  (spec) => expect(gitPackage(spec)).toBeUndefined(),
)
