import { Router } from "express";
import { checkPost } from "../../shared/commands/check-post.ts";
import type { Context } from "../../shared/context.ts";
import { CheckView } from "../../shared/contract/check.ts";
import { CreatePostRequest } from "../../shared/contract/post.ts";
import { actorOf } from "../http/actor.ts";
import { parse } from "../http/parse.ts";
import { serve, type Operation } from "../openapi/operation.ts";
import { presentFinding } from "../present/finding.ts";

const check: Operation = {
  method: "post",
  path: "/check",
  action: "posts.write",
  summary: "Check a post without storing it",
  body: CreatePostRequest,
  answers: { 200: { description: "What the rules say; empty for nothing", schema: CheckView } },
  problems: ["post.stray_variant", "post.unknown_channel", "post.unknown_media"],
};

export const checkOperations = [check];

export function checkRoutes(context: Context): Router {
  const routes = Router();

  // Nothing is stored, so an Idempotency-Key makes no difference.
  serve(routes, check, async (req, res) => {
    const input = parse(CreatePostRequest, req.body);
    const findings = await checkPost(context, actorOf(res), input);
    res.json({ findings: findings.map(presentFinding) });
  });

  return routes;
}
