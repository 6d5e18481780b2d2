import * as z from "zod";

const Field = z
  .object({
    path: z
      .string()
      .describe(
        "Where in the request: a field of the body or the query, such as `parts.0.text`; a header, such as `header.If-Match`; the `file` of an upload; the `body` as a whole; or the `address`, where what it names is not there, or not in a state for this.",
      ),
    code: z.string(),
    detail: z.string(),
  })
  // Facts that a program may use come beside these three, named by the code.
  .loose();

/** Every refusal, as `application/problem+json` (RFC 9457). */
export const Problem = z
  .object({
    type: z.string().describe("`urn:postwell:problem:` and the code."),
    title: z.string(),
    status: z.int(),
    code: z.string().describe("Stable: programs may rely on it."),
    detail: z.string().describe("What happened and what to do, for people."),
    errors: z
      .array(Field)
      .describe("Every place at fault; empty where the request is not at fault."),
    requestId: z.string(),
  })
  .meta({ id: "Problem" });
