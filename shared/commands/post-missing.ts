import { AppError } from "../errors.ts";

/** Also for a post of another workspace: whether it exists is nobody's business. */
export function postMissing(): AppError {
  return new AppError("not_found", "post.missing", "There is no such post, or it was removed.");
}
