/** Runs directives from standard input, one a line, and prints the SuiteResult: a process that any Node can be. */
import { createInterface } from "node:readline";
import type { Directive } from "./spec-directive.ts";
import { SpecRunner } from "./spec-runner.ts";

const runner = new SpecRunner();
for await (const line of createInterface({ input: process.stdin })) runner.run(JSON.parse(line) as Directive);
console.log(JSON.stringify(runner.result));
