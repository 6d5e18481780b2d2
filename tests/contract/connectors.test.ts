import { describe, expect, test } from "@jest/globals";
import { loadConnectors } from "../../shared/connectors/registry.ts";
import { describeAccounts } from "./suite/accounts.ts";
import { describeAddresses } from "./suite/addresses.ts";
import { describeEngagement } from "./suite/engagement.ts";
import { describeFaults } from "./suite/faults.ts";
import { describePublishing } from "./suite/publishing.ts";
import { describeReadBack } from "./suite/read-back.ts";
import { describeReconciling } from "./suite/reconciling.ts";

// What every platform must do, whichever it is: the suite asks capabilities and methods, never a name. Traps of a single
// platform have tests of their own beside this file.

const connectors = await loadConnectors();

test("finds the platforms by their folders", () => {
  expect(connectors.size).toBeGreaterThan(0);
});

describe.each([...connectors])("%s", (_, connector) => {
  describeAccounts(connector);
  describePublishing(connector);
  describeReconciling(connector);
  describeFaults(connector);
  describeEngagement(connector);
  describeReadBack(connector);
  describeAddresses(connector);
});
