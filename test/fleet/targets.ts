import type { FleetTarget } from "../../src/fleet/target.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"

/** tenant_1, tenant_2, …: a database each, on one server. */
export const targets = (count: number, host = "db"): readonly FleetTarget[] =>
  Array.from({ length: count }, (_, index) =>
    target(`tenant_${index + 1}`, `postgresql://o@${host}/tenant_${index + 1}`),
  )

export const target = (name: string, url: string): FleetTarget => ({
  ...{ name, key: name, url: parseDatabaseUrl(url), group: undefined, order: 0 },
})
