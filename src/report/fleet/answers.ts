import { fleetReportAnswer } from "./collect.js"
import { fleetAnswer } from "./json.js"
import { fleetStatusAnswer } from "./status.js"

/** What the commands about fleets print with --json, by the `schema` that each object carries. */
export const fleetAnswers = {
  "lockstep.fleet/1": fleetAnswer,
  "lockstep.fleet-status/1": fleetStatusAnswer,
  "lockstep.fleet-report/1": fleetReportAnswer,
} as const
