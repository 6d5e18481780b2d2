import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import {
  FAULTS,
  type SimulatedPost,
  type Simulator,
  type StartSimulator,
} from "../../shared/connectors/simulator.ts";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { answerDrill } from "./child.ts";
import { bendAnswers } from "./bend-answers.ts";

/**
 * Every platform's simulator in one process. Nothing kills it, so what it has seen is the truth that the ledger is held
 * against.
 */
const LATENCY_MS = 25;

const simulators = new Map<string, Simulator>();
const bent = bendAnswers();

/** A platform without a simulator cannot be drilled. */
async function startAll(): Promise<Record<string, string>> {
  const folder = path.resolve(import.meta.dirname, "../../shared/connectors");
  const extension = path.extname(import.meta.filename);
  const source = path.join(PROJECT_ROOT, "shared/connectors");
  const entries = await readdir(source, { withFileTypes: true });
  for (const { name } of entries.filter((entry) => entry.isDirectory()).toSorted(byName)) {
    const file = path.join(folder, name, `simulator${extension}`);
    if (!existsSync(file)) continue;
    const module: { startSimulator: StartSimulator } = await import(file);
    simulators.set(name, await module.startSimulator({ latencyMs: LATENCY_MS }));
  }
  return Object.fromEntries([...simulators].map(([name, { url }]) => [name, url]));
}

const byName = (one: { name: string }, other: { name: string }) => (one.name < other.name ? -1 : 1);

function simulatorOf(platform: string): Simulator {
  const simulator = simulators.get(platform);
  if (!simulator) throw new Error(`There is no simulator of ${platform}.`);
  return simulator;
}

function posts(): (SimulatedPost & { readonly platform: string })[] {
  return [...simulators].flatMap(([platform, simulator]) =>
    simulator.posts().map((post) => Object.assign({ platform }, post)),
  );
}

const Account = z.object({ platform: z.string(), name: z.string() });
const Misbehave = z.object({ platform: z.string(), fault: z.enum(FAULTS), times: z.int() });
const Late = z.object({ platform: z.string(), byMs: z.number(), forMs: z.number() });

answerDrill({
  start: startAll,
  account(argument) {
    const { platform, name } = Account.parse(argument);
    return simulatorOf(platform).account(name);
  },
  misbehave(argument) {
    const { platform, fault, times } = Misbehave.parse(argument);
    simulatorOf(platform).fault(fault, times);
  },
  answerLate(argument) {
    const { platform, byMs, forMs } = Late.parse(argument);
    bent.answerLate(simulatorOf(platform).url, { byMs, forMs });
  },
  endSignIn(argument) {
    const { platform, name } = Account.parse(argument);
    simulatorOf(platform).expireTokens(name);
  },
  posts,
  count: () => [...simulators.values()].reduce((sum, each) => sum + each.posts().length, 0),
  find(argument) {
    const texts = z.array(z.string()).parse(argument);
    return posts().filter(({ text, removed }) => !removed && texts.includes(text));
  },
});
