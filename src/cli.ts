#!/usr/bin/env node
import { everythingWritten, surviveClosedPipes, writeFailure } from "./cli/output.js"
import { abortOnSignals, interruptedCode } from "./cli/signals.js"
import { reportFailure, runCommandLine } from "./program.js"
import { compileQuicklyForGood } from "./sql/parser.js"

const call = { argv: process.argv.slice(2), interrupted: abortOnSignals(() => false) }
surviveClosedPipes()
compileQuicklyForGood()
const answer = await runCommandLine(call)
await everythingWritten()
const unwritten = writeFailure()
const code = Math.max(answer, unwritten === undefined ? 0 : reportFailure(unwritten, call))
await everythingWritten()

// The schema engine leaves timers behind that would keep the process for half a minute.
process.exit(code === 0 ? 0 : (interruptedCode(call.interrupted) ?? code))
