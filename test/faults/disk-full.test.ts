import { spawnSync } from "node:child_process"
import { chmod, chown, mkdir, mkdtemp, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { lockstep } from "../support/cli.js"
import { createProject } from "../support/project.js"
import { queryOn } from "./query.js"
import { ownServer } from "./server.js"

/** A file system of a few megabytes; undefined where mounting is not allowed. */
async function smallDisk(): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-disk-"))
  await chmod(folder, 0o755)
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m,mode=0755", "tmpfs", folder])
  if (mounted.status !== 0) {
    await rm(folder, { recursive: true })
    return undefined
  }
  onTestFinished(async () => {
    spawnSync("umount", [folder])
    await rm(folder, { recursive: true })
  })
  return folder
}

test("a full disk is told in plain words and leaves nothing; with room again the same deploy goes through", async (context) => {
  const disk = await smallDisk()
  if (disk === undefined) {
    console.log("skipped: a full disk (mounting a tmpfs is not allowed here)")
    context.skip()
    return
  }
  const server = await ownServer()
  const location = join(disk, "space")
  await mkdir(location, { mode: 0o700 })
  const { uid, gid } = await stat(server.dataDir)
  await chown(location, uid, gid)
  await queryOn(server.url, `CREATE TABLESPACE small LOCATION '${location}'`)
  await queryOn(
    server.url,
    "CREATE TABLE filler TABLESPACE small AS SELECT repeat('x', 1000) FROM generate_series(1, 1000)",
  )
  const sql =
    "CREATE TABLE big (text text) TABLESPACE small;\nINSERT INTO big SELECT repeat('x', 1000) FROM generate_series(1, 2800);"
  const { root } = createProject({
    migrations: { "20260101000000_init": "CREATE TABLE account (id int);", "20260102000000_big": sql },
  })
  // The filler does not count as an existing object: the history exists already.
  const failed = await lockstep(["deploy"], { cwd: root, url: `${server.url}?schema=shop` })
  expect(failed, failed.all).toMatchObject({ exitCode: 1 })
  expect(failed.stderr).toContain("error[L1012]")
  expect(failed.stderr).toContain("(PostgreSQL 53100)")
  expect(failed.stderr).toContain("migration.sql:2:1")
  expect(failed.stderr).toContain("The server's disk is full: free space before the next deploy.")
  expect(failed.stderr).toContain("free space on the server's disk, then run the same deploy again.")
  expect(await queryOn(server.url, "SELECT migration_name FROM shop._prisma_migrations")).toHaveLength(1)
  await queryOn(server.url, "DROP TABLE filler")
  const done = await lockstep(["deploy"], { cwd: root, url: `${server.url}?schema=shop` })
  expect(done, done.all).toMatchObject({ exitCode: 0 })
})
