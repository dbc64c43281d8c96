import { type Directory, dag, type File } from "@dagger.io/dagger"
import { install } from "./install.js"
import type { Manifest } from "./manifest.js"
import { packageDir } from "./places.js"
import { installed } from "./run.js"
import type { Setting } from "./setting.js"

/** Whether the project is the runner itself. */
export const isRunner = ({ name }: Manifest): boolean => name === "prisma-lockstep"

/** In the runner's own repository: its build, and what `npm pack` makes of it. */
export async function builtPackage(setting: Setting, manifest: Manifest): Promise<{ dist: Directory; packed: File }> {
  const { source, path } = setting
  const code = source.directory(path).filter({ include: ["src/**", "*.js", "*.json", "LICENSE", "README.md"] })
  const packing = (await install(setting, manifest))
    .withWorkdir(packageDir(path))
    .withDirectory(".", code)
    .withDirectory("/packed", dag.directory())
    .withExec(["npm", "pack", "--pack-destination", "/packed"])
    .withExec(["sh", "-c", "mv /packed/*.tgz /packed.tgz"])
  const built = await installed(packing)
  return { dist: built.directory("dist"), packed: built.file("/packed.tgz") }
}
