import { chmod, mkdir, realpath } from "node:fs/promises"
import { execa } from "execa"
import { inject } from "vitest"
import { dataDirectory, ensureStateFolder, pathsOf } from "../../src/test-db/paths.js"

/** Gives a project the data that a new server starts with, copied from the run's: initdb takes ten times as long. */
export async function copyCluster(projectRoot: string): Promise<void> {
  // The server's account has to pass through.
  await chmod(projectRoot, 0o755)
  const paths = pathsOf(await realpath(projectRoot))
  const [cluster = ""] = paths.clusters
  await ensureStateFolder(paths)
  await mkdir(cluster)
  const { data, passwordFile } = inject("cluster")
  await execa("cp", ["-a", data, dataDirectory(cluster)])
  await execa("cp", ["-a", passwordFile, paths.passwordFile])
}
