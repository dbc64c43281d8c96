import type { Container, PodPart } from "./container.js"
import { type DeployVariable, read, readQuoted } from "./values.js"

/** The init container of the migration strategy: the stock command, and the URL from a Secret. */
const plain: Container = {
  name: "db-migrate",
  image: `${read("image.repository")}:${read("image.tag")}`,
  command: ["npx", "prisma", "migrate", "deploy"],
  env: [
    {
      name: "DATABASE_URL",
      valueFrom: { secretKeyRef: { name: read("database.secretName"), key: read("database.secretKey") } },
    },
  ],
}

/** As the strategy document has it. */
export const initContainer = (): PodPart => ({ initContainers: [plain] })

/**
 * The same container with the deploy's options from the values, and as the "restricted" Pod Security Standard asks for
 * it: any user but root, a root file system that cannot be written, no capabilities. The end of the log becomes the
 * termination message, which `kubectl describe` shows.
 * Source: Kubernetes documentation, "Pod Security Standards", "Determine the Reason for Pod Failure".
 */
export const hardenedInitContainer = (variables: readonly DeployVariable[]): PodPart => ({
  initContainers: [
    {
      ...plain,
      env: [...plain.env, ...variables.map(({ name }) => ({ name, value: readQuoted(`migrations.env.${name}`) }))],
      resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { cpu: "1", memory: "512Mi" } },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      },
      terminationMessagePolicy: "FallbackToLogsOnError",
    },
  ],
})
