import { mkdir, realpath } from "node:fs/promises"
import { execa } from "execa"
import { inject } from "vitest"
import { dataFolder, placeOf } from "../src/test-db/folder.js"
import { ensureFolder } from "../src/test-db/server.js"

/** Gives a project the data that a new server starts with, copied from the run's: initdb takes ten times as long. */
export async function copyCluster(projectRoot: string): Promise<void> {
  const place = placeOf(await realpath(projectRoot))
  const [cluster = ""] = place.clusters
  await ensureFolder(place)
  await mkdir(cluster)
  const { data, passwordFile } = inject("cluster")
  await execa("cp", ["-a", data, dataFolder(cluster)])
  await execa("cp", ["-a", passwordFile, place.passwordFile])
}
