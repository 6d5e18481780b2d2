import { startSimulator } from "../../shared/connectors/sandbox/simulator.ts";
import { answerBench } from "./questions.ts";

/** The platform of the bench: a process of its own, so that its work is not counted as ours. */
const simulator = await startSimulator({ latencyMs: Number(process.env["LATENCY_MS"]) });

answerBench({
  url: () => simulator.url,
  count: () => simulator.posts().length,
});
