import { chmod, chown, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, test } from "vitest"
import { isReachable, isSafeFolder } from "../../src/test-db/paths.js"
import { isRoot, nobody, temporaryFolder } from "./installation.js"

const other = { name: "nobody", uid: nobody, gid: nobody }

test("a shared folder is safe only when no other user may write to it or rename it", async () => {
  const folder = await temporaryFolder()
  const shared = join(folder, "lockstep-x")
  expect(await isSafeFolder(shared, undefined)).toBe(true)
  await chmod(shared, 0o777)
  expect(await isSafeFolder(shared, undefined)).toBe(false)
  await chmod(shared, 0o700)
  await chmod(folder, 0o777)
  expect(await isSafeFolder(shared, undefined)).toBe(false)
  await chmod(folder, 0o1777)
  expect(await isSafeFolder(shared, undefined)).toBe(true)
  await rm(shared, { recursive: true })
  await writeFile(shared, "")
  expect(await isSafeFolder(shared, undefined)).toBe(false)
})

test.runIf(isRoot)("an account reaches a path whose folders it may all pass through", async () => {
  const folder = await temporaryFolder()
  expect(await isReachable(folder, other)).toBe(true)
  await chmod(folder, 0o750)
  expect(await isReachable(folder, other)).toBe(false)
  await chown(folder, 0, nobody)
  expect(await isReachable(folder, other)).toBe(true)
  expect(await isReachable(join(folder, "absent"), other)).toBe(false)
})
