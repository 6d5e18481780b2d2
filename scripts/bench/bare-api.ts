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
app.post("/api/v1/posts", async (req, res) => {
  const id = randomUUID();
  await pool.query("insert into bare_posts (id, body) values ($1, $2)", [id, req.body]);
  res.status(201).json({ id, body: req.body as unknown });
});

const server = app.listen(0, "127.0.0.1", () => {
  const address = server.address();
  const port = typeof address === "object" ? address?.port : null;
  answerBench({ url: () => `http://127.0.0.1:${port}` });
});
