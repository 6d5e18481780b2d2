import * as z from "zod";

/** An id in a request: upper case means the same (RFC 9562). */
export const Id = z.uuid().toLowerCase();

/** The path of one thing. */
export const IdParams = z.object({ id: Id });
