/** Closes the run with the names of what was skipped and, last and alone, the counts. */
export default class ClosingReporter {
  /** Jest gives the contexts of the run and its results. */
  onRunComplete(_contexts, results) {
    const skipped = results.testResults.flatMap((file) =>
      file.testResults.filter(isSkipped).map((test) => `${fileName(file)}: ${test.fullName}`),
    );
    const broken = results.testResults.filter((file) => file.testExecError !== undefined);
    const failed = results.numFailedTests + broken.length;
    const lines = [
      "",
      ...(skipped.length > 0 ? ["Skipped:", ...skipped.map((name) => `  ${name}`), ""] : []),
      `${results.numPassedTests} passed, ${failed} failed, ${skipped.length} skipped`,
    ];
    // Jest's own summary comes after all reporters: only at the exit is this the last line.
    process.once("exit", () => process.stdout.write(`${lines.join("\n")}\n`));
  }
}

function isSkipped({ status }) {
  return status === "pending" || status === "skipped" || status === "todo" || status === "disabled";
}

function fileName({ testFilePath }) {
  return testFilePath.slice(process.cwd().length + 1);
}
