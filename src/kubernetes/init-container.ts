import * as z from "zod/mini"
import { type ContainerRequest, containerSchema, migrationContainer } from "./container.js"

/** A part of a pod's specification. */
export const podPartSchema = z.strictObject({ initContainers: z.array(containerSchema) })

export type PodPart = z.infer<typeof podPartSchema>

/** The init container that applies the migrations: the strategy document's, where it is plain. */
export const initContainer = (request: ContainerRequest): PodPart => ({
  initContainers: [migrationContainer("deploy", "database", request)],
})

/** The init container that only waits for who applies them: a role that may read the history is enough for it. */
export const waitingInitContainer = (request: ContainerRequest): PodPart => ({
  initContainers: [migrationContainer("wait", "database", request)],
})
