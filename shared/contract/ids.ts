import * as z from "zod";

/** The path of one thing. */
export const IdParams = z.object({ id: z.uuid() });
