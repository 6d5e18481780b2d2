import type { Db } from "../../shared/db/client.ts";
import {
  takeFromBudgets,
  type BudgetGrant,
  type BudgetWish,
} from "../../shared/db/budget-usage.ts";
import { inRounds } from "../../shared/db/rounds.ts";

/** Where budgets are counted for all workers. */
export interface BudgetStore {
  /** Ask for one key one at a time. */
  take(wish: BudgetWish): Promise<BudgetGrant>;
}

const ROUND = 200;

/** Many wishes share a statement. */
export function postgresBudgets(db: Db): BudgetStore {
  return { take: inRounds(ROUND, (wishes: readonly BudgetWish[]) => takeFromBudgets(db, wishes)) };
}
