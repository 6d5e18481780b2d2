import * as z from "zod";

/** What the bench asks one of its own processes, over the channel between them. */
export const Question = z.object({
  id: z.int(),
  ask: z.string(),
  argument: z.unknown(),
});

export const Answer = z.object({
  id: z.int(),
  answer: z.unknown(),
});

type Respond = (argument: unknown) => unknown;

/** Answers the bench for as long as it lives: whatever way it ends, so do we. */
export function answerBench(answers: Readonly<Record<string, Respond>>): void {
  process.on("message", (message) => {
    const { id, ask, argument } = Question.parse(message);
    void Promise.resolve(answers[ask]?.(argument)).then((answer) => {
      process.send?.({ id, answer: answer ?? null });
    });
  });
  process.on("disconnect", () => process.exit());
  process.send?.({ id: 0, answer: null });
}

/** Milliseconds since 1970 with fractions; all processes of one machine share it. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
