import type { Changeset, Container } from "@dagger.io/dagger"
import { project } from "./places.js"
import type { Setting } from "./setting.js"

/** What a command added or changed in the project, as a change of the repository. */
export function changed({ source }: Setting, before: Container, after: Container): Changeset {
  const files = (container: Container) =>
    container.directory(project).filter({ exclude: ["**/node_modules", "**/dist", "**/.lockstep"] })
  return source.withDirectory(".", files(before).diff(files(after))).changes(source)
}
