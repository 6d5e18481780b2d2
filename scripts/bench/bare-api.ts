import { randomUUID } from "node:crypto";
import express from "express";
import { Pool } from "pg";
import * as z from "zod";
import { answerBench } from "./questions.ts";

/** What our API is held against: a route that parses JSON and inserts one row, and asks nobody whether it may. */
const env = z
  .object({ DATABASE_URL: z.string(), CONNECTIONS: z.coerce.number() })
  .parse(process.env);

const pool = new Pool({ connectionString: env.DATABASE_URL, max: env.CONNECTIONS });
await pool.query(
  "create table bare_posts (id uuid primary key, body jsonb not null, created_at timestamptz not null default now())",
);

const app = express();
app.use(express.json());
app.post("/api/v1/posts", (req, res, next) => {
  const id = randomUUID();
  const body: unknown = req.body;
  const insertion = "insert into bare_posts (id, body) values ($1, $2)";
  pool.query(insertion, [id, body], (error) => {
    if (error) next(error);
    else res.status(201).json({ id, body });
  });
});

const server = app.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : null;
  answerBench({ url: () => `http://127.0.0.1:${port}` });
});
