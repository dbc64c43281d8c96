/** The toolbox's packages are beside the project, so that Node finds them from inside of it. */
export const home = "/lockstep"
export const packages = `${home}/node_modules`
export const project = `${home}/project`

/** A package's folder inside a container. */
export const packageDir = (path: string): string => (path === "." ? project : `${project}/${path}`)

/** A package's file or pattern inside the repository. */
export const inPackage = (path: string, name: string): string => (path === "." ? name : `${path}/${name}`)
