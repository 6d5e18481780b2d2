import { createHash } from "node:crypto";
import type { Request, RequestHandler, Response } from "express";
import type { Context } from "../../shared/context.ts";
import { inTransaction } from "../../shared/db/client.ts";
import {
  findAnswer,
  storeAnswer,
  takeKey,
  type KeyUse,
  type StoredAnswer,
} from "../../shared/db/idempotency-keys.ts";
import { AppError } from "../../shared/errors.ts";
import { actorOf } from "./actor.ts";

/** An answer as a value, so that it can be stored and given again. */
export interface Outcome {
  readonly status: number;
  /** Undefined for an answer without a body. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export type OutcomeHandler = (context: Context, req: Request, res: Response) => Promise<Outcome>;

/** For what must not happen inside a transaction (a platform, a file) and may be repeated: it comes before. */
export interface PreparedHandler<Prepared> {
  prepare(context: Context, req: Request, res: Response): Promise<Prepared>;
  finish(context: Context, prepared: Prepared, res: Response): Promise<Outcome>;
  /** For what can only be said after the effect was committed; asked each time that the answer is given. */
  complete?(outcome: Outcome, res: Response): Promise<Outcome>;
}

/**
 * Serves a POST that may be repeated. With an `Idempotency-Key` its effect, the key and the answer are committed together;
 * the same request under the same key then gets the stored answer and the header `Idempotency-Replayed: true`.
 * Refusals are not stored: nothing has happened, so the request may be tried again.
 * @throws {AppError} conflict `idempotency.key_reused`; invalid `idempotency.bad_key`
 */
export function idempotent(context: Context, handler: OutcomeHandler): RequestHandler {
  return idempotentAfter<Request>(context, {
    prepare: (_context, req) => Promise.resolve(req),
    finish: (inner, req, res) => handler(inner, req, res),
  });
}

/** As `idempotent`, for a request that first does something outside of the database. */
export function idempotentAfter<Prepared>(
  context: Context,
  handler: PreparedHandler<Prepared>,
): RequestHandler {
  const give = async (res: Response, outcome: Outcome): Promise<void> => {
    send(res, (await handler.complete?.(outcome, res)) ?? outcome);
  };
  return async (req, res) => {
    const key = keyOf(req);
    if (key === null) {
      const prepared = await handler.prepare(context, req, res);
      return give(res, await handler.finish(context, prepared, res));
    }
    const use = { workspaceId: actorOf(res).workspaceId, key, requestHash: hashOf(req) };
    const known = await findAnswer(context.db, use);
    if (known) return give(res, replayed(res, use, known));
    const prepared = await handler.prepare(context, req, res);
    const outcome = await inTransaction(context.db, async (tx) => {
      if (!(await takeKey(tx, use))) return null;
      const {
        status,
        body,
        headers = {},
      } = await handler.finish({ ...context, db: tx }, prepared, res);
      await storeAnswer(tx, use, { status, headers, body });
      return { status, headers, body };
    });
    if (outcome) return give(res, outcome);
    // A twin was faster, and has committed: `takeKey` waited for it.
    const answer = await findAnswer(context.db, use);
    if (!answer) throw new Error("A key was taken and has no answer.");
    return give(res, replayed(res, use, answer));
  };
}

function replayed(res: Response, use: KeyUse, answer: StoredAnswer): Outcome {
  if (!answer.requestHash.equals(use.requestHash)) {
    throw new AppError(
      "conflict",
      "idempotency.key_reused",
      "This Idempotency-Key was used for another request. Use a new key for a new request.",
      [{ path: "header.Idempotency-Key", code: "idempotency.key_reused", detail: "Used before." }],
    );
  }
  res.set("Idempotency-Replayed", "true");
  return answer;
}

function send(res: Response, { status, body, headers = {} }: Outcome): void {
  res.status(status).set(headers);
  if (body === undefined || body === null) res.end();
  else res.json(body);
}

function keyOf(req: Request): string | null {
  const key = req.headers["idempotency-key"];
  if (key === undefined) return null;
  if (typeof key === "string" && /^[\x20-\x7e]{1,200}$/.test(key)) return key;
  const detail = "An Idempotency-Key has 1 to 200 printable ASCII characters.";
  throw new AppError("invalid", "idempotency.bad_key", detail, [
    { path: "header.Idempotency-Key", code: "idempotency.bad_key", detail },
  ]);
}

/** What makes two requests the same. A file counts by its bytes: the multipart frame around it is new each time. */
function hashOf(req: Request): Buffer {
  const file = req.file?.buffer;
  const fileHash = file ? createHash("sha256").update(file).digest("hex") : null;
  const facts = [req.method, req.originalUrl, req.body ?? null, fileHash, req.file?.originalname];
  return createHash("sha256").update(JSON.stringify(facts)).digest();
}
