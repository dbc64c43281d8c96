import { fleetReportAnswer } from "./collect.js"
import { fleetAnswer } from "./json.js"
import { fleetPlanAnswer } from "./plan.js"
import { fleetStatusAnswer } from "./status-json.js"

/** What the commands about fleets print with --json, by the `schema` that each object carries. */
export const fleetAnswers = {
  "lockstep.fleet/1": fleetAnswer,
  "lockstep.fleet-status/1": fleetStatusAnswer,
  "lockstep.fleet-plan/1": fleetPlanAnswer,
  "lockstep.fleet-report/1": fleetReportAnswer,
} as const
