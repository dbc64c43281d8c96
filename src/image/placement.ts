/** What placing needs to know of a package. */
export interface Placeable {
  readonly name: string
  readonly version: string
  readonly dependencies: readonly string[]
}

/** A package, and where it goes: `node_modules/a`, or `node_modules/a/node_modules/b` where another version is above. */
export interface Placed<P extends Placeable> {
  readonly package: P
  readonly path: string
  /** The places of its dependencies. */
  readonly needs: readonly string[]
}

/**
 * Lays packages and all that they need out as flat as versions allow, the roots first. A dependency goes to the top
 * where its name is free or the same version is there already, otherwise below the package that needs it.
 * `find` gives a dependency, or undefined for one to be left out.
 */
export function place<P extends Placeable>(
  roots: readonly P[],
  find: (name: string, dependent: P) => P | undefined,
): readonly Placed<P>[] {
  const places = new Map<string, { package: P; needs: string[] }>()
  const queue: string[] = []
  const put = (path: string, found: P): string => {
    places.set(path, { package: found, needs: [] })
    queue.push(path)
    return path
  }
  for (const root of roots) {
    const path = `node_modules/${root.name}`
    if (!places.has(path)) put(path, root)
  }
  // Breadth first, so that a package's own folder is complete before what lies below it is looked at.
  for (const path of queue) {
    const here = places.get(path)
    if (here === undefined) continue
    for (const name of here.package.dependencies) {
      const found = find(name, here.package)
      if (found === undefined) continue
      const visible = lookUp(name, path).find((place) => places.has(place))
      const same = visible !== undefined && places.get(visible)?.package.version === found.version
      here.needs.push(
        same ? visible : put(visible === undefined ? `node_modules/${name}` : `${path}/node_modules/${name}`, found),
      )
    }
  }
  return [...places].map(([path, { package: found, needs }]) => ({ path, package: found, needs }))
}

/** Where Node looks for a package from inside of a placed one, nearest first. */
function lookUp(name: string, from: string): string[] {
  const folders = from.split("/node_modules/")
  return folders
    .map((_, at) => `${folders.slice(0, folders.length - at).join("/node_modules/")}/node_modules/${name}`)
    .concat(`node_modules/${name}`)
}
