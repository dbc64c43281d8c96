import type { Container } from "@dagger.io/dagger"
import { install } from "./install.js"
import { readManifest } from "./manifest.js"
import { node, translated } from "./node.js"
import { packageDir, project } from "./places.js"
import type { Setting } from "./setting.js"
import { withToolbox } from "./toolbox.js"
import { codeFiles, historyFiles, settingFiles } from "./views.js"

/** The runner over the schema and the history; migrations come last, so that a new one rebuilds nothing else. */
export async function runner(setting: Setting): Promise<Container> {
  const [container, history] = await Promise.all([runnerWithoutHistory(setting), historyFiles(setting)])
  return container.withDirectory(project, history)
}

/** The runner over the schema alone. */
export const runnerWithoutHistory = async (setting: Setting): Promise<Container> =>
  setting.install === "project" ? projectWithoutHistory(setting) : toolbox(setting)

/** Prisma and the runner alone: enough for whatever does not run the project's code. */
async function toolbox(setting: Setting): Promise<Container> {
  const tools = await withToolbox(node(setting), setting, await readManifest(setting))
  return tools.withDirectory(project, settingFiles(setting))
}

/** The project's own install and all of its files but the migrations: for its generators, its seed and its code. */
export async function projectWithoutHistory(setting: Setting): Promise<Container> {
  const [manifest, code] = await Promise.all([readManifest(setting), codeFiles(setting)])
  const tools = await withToolbox(await install(setting, manifest), setting, manifest)
  return tools
    .withDirectory(project, code)
    .withMountedCache(`${packageDir(setting.path)}/node_modules/.cache/jiti`, translated())
}
